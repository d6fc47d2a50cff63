// The page: one view, rendered by Splunk's own components, as Splunk Web would show it.
//
// `window.copydicomView` is what the server says of it: name, label, definition, theme, the views
// of the navigation. `window.show(view, address)` puts another one in its place without loading the page anew; the
// same one in another theme keeps what it has searched. Splunk's code takes the tokens from the address. `window.seen` and `window.schema` are for tests.
import { createRoot } from 'react-dom/client';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import { Dashboard, forget } from './dashboard';
import { Navigation } from './navigation';
import { expressionProblem, problemsOf, vocabulary } from './schema';
import { SearchPage } from './search';

window.schema = { expressionProblem, problemsOf, vocabulary };

const root = createRoot(document.getElementById('root'));
let shown;
let changes = 0;
window.changed = performance.now();

window.show = (view, address) => {
    if (address !== shown) {
        forget();
        changes += 1;
        window.history.replaceState(null, '', address);
    }
    shown = address;
    window.copydicomView = view;
    window.changed = performance.now();
    document.body.style.background = view.theme === 'dark' ? '#0b0c0e' : '#f2f4f5';
    root.render(
        <SplunkThemeProvider family="enterprise" colorScheme={view.theme} density="comfortable">
            <Navigation view={view} />
            {view.definition ? <Dashboard key={changes} view={view} /> : <SearchPage key={changes} view={view} />}
        </SplunkThemeProvider>,
    );
};

// When the page last changed, in milliseconds: what has not changed for a while is drawn. An
// answer from splunkd counts as a change too: what comes of it is yet to be drawn.
new MutationObserver(() => {
    window.changed = performance.now();
}).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });

const ask = window.fetch;
window.fetch = (...given) =>
    ask(...given).finally(() => {
        window.changed = performance.now();
    });

const tokens = new URLSearchParams(window.location.search);
tokens.delete('theme');
window.show(window.copydicomView, `${window.location.pathname}?${tokens}`);
