// A line to a server that can be cut and mended: what a browser sees when the server dies and returns.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Listens on a free port of this machine and passes all bytes on to `target`. */
export async function openLine(target) {
  const { hostname, port } = new URL(target);
  const ends = new Set();
  let isCut = false;

  function hold(end) {
    ends.add(end);
    end.on('error', () => end.destroy());
    end.on('close', () => ends.delete(end));
  }
  function join(near) {
    hold(near);
    if (isCut) return near.destroy();
    const far = connect({ host: hostname, port: Number(port) });
    hold(far);
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }
  const server = createServer(join).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const drop = () => ends.forEach((end) => end.destroy());
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut: () => { isCut = true; drop(); },
    mend: () => { isCut = false; },
    close: () => { server.close(); drop(); },
  };
}
