import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { applyTheme } from './state/useTheme';
import { Guard } from './ui/Guard';
import './styles/tokens.css';
import './styles/base.css';
import './styles/page.css';
import './styles/table.css';
import './styles/chart.css';
import './styles/passport.css';
import './styles/views.css';

const ROOT = document.getElementById('root');
if (!ROOT) throw new Error('Element #root not found in index.html; expected one <div id="root">.');

// Queries ask again at their own pace, so a failed answer is shown at once instead of retried in silence;
// and they ask without a network too, because the API may be on this machine.
const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 1_000, networkMode: 'always' } } });

// The stream's news comes at the beginning of a frame; handed on at once it is still painted in that frame, not in the next one.
notifyManager.setScheduler(queueMicrotask);

applyTheme();
createRoot(ROOT).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Guard>
        <App />
      </Guard>
    </QueryClientProvider>
  </StrictMode>,
);
