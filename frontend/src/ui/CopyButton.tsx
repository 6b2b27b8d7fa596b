import { useState } from 'react';

/** Puts a text into the clipboard, and says so. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, setCopied] = useState<string | null>(null);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => { setCopied(text); },
      () => { setCopied(null); },
    );
  };
  return (
    <button type="button" className="link" aria-label={label} onClick={copy}>
      {copied === text ? 'Copied' : 'Copy'}
    </button>
  );
}
