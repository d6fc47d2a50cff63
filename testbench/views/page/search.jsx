// What a link to a search opens: the text of the search and, unless a command in it is risky, its rows at once.
// Splunk asks before it runs a risky command from a link; so does this page.
import { useEffect, useState } from 'react';

const ROWS = 100;

// As Splunk's own page does: a search that begins with a condition or a macro begins with the command `search`.
const command = (text) => (/^\s*(\||search\s)/.test(text) ? text : `search ${text}`);

// Splunk Web takes a POST with the form key of its cookie only.
const formKey = () => new RegExp(`splunkweb_csrf_token_${window.$C.MRSPARKLE_PORT_NUMBER}=([^;]+)`).exec(document.cookie);

async function rowsOf(view) {
    const given = { search: command(view.query), exec_mode: 'oneshot', output_mode: 'json', count: ROWS };
    if (view.earliest) {
        given.earliest_time = view.earliest;
    }
    if (view.latest) {
        given.latest_time = view.latest;
    }
    const path = `/servicesNS/${view.user}/${view.app}/search/jobs`;
    const answer = await fetch(`${window.$C.SPLUNKD_PATH}${path}`, {
        method: 'POST',
        headers: { 'X-Splunk-Form-Key': formKey()?.[1] ?? '' },
        body: new URLSearchParams(given),
    });
    const document = await answer.json();
    if (!answer.ok) {
        throw new Error(document.messages.map((message) => message.text).join('; '));
    }
    return document;
}

function Rows({ found }) {
    const names = found.fields.map((field) => field.name);
    const shown = (value) => (Array.isArray(value) ? value.join(', ') : (value ?? ''));
    return (
        <table data-test="search-rows" cellPadding={6} style={{ borderCollapse: 'collapse', textAlign: 'left' }}>
            <thead>
                <tr>
                    {names.map((name) => (
                        <th key={name}>{name}</th>
                    ))}
                </tr>
            </thead>
            <tbody>
                {found.results.map((row, at) => (
                    <tr key={at}>
                        {names.map((name) => (
                            <td key={name}>{shown(row[name])}</td>
                        ))}
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

export function SearchPage({ view }) {
    const risky = view.risky.filter((name) => new RegExp(`\\|\\s*${name}\\b`, 'i').test(view.query));
    const [run, setRun] = useState(view.query !== '' && risky.length === 0);
    const [found, setFound] = useState(null);
    const [error, setError] = useState('');
    useEffect(() => {
        if (run) {
            rowsOf(view).then(setFound, (failure) => setError(failure.message));
        }
    }, [run, view]);
    return (
        <main style={{ padding: 20, font: '14px sans-serif', color: view.theme === 'dark' ? '#d5d8db' : '#31373e' }}>
            <h2>Search</h2>
            <pre data-test="search-text" style={{ whiteSpace: 'pre-wrap', fontSize: 15 }}>
                {view.query}
            </pre>
            {risky.length > 0 && !run && (
                <p data-test="search-risky">
                    This search has a risky command: {risky.join(', ')}.{' '}
                    <button type="button" onClick={() => setRun(true)}>
                        Run it
                    </button>
                </p>
            )}
            {error && <p data-test="search-error">{error}</p>}
            {found && <Rows found={found} />}
        </main>
    );
}
