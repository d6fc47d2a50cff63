// Asks splunkd through Splunk Web, with the session and the rights of who looks at the page.
//
// Splunk Web takes a change only with its form key, which it keeps in a cookie. What is asked is what Splunk or our
// web.conf exposes to a browser. A password goes out in the body of a POST and never comes back.
import { getCSRFToken } from '@splunk/splunk-utils/config';
import { createRESTURL, createURL } from '@splunk/splunk-utils/url';

export const APP = 'copydicom_app';

export class SplunkError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

// What splunkd says (`messages`), or the app's own endpoint (`error`).
async function reason(answer) {
    if (answer.status === 401) {
        return 'Splunk does not know you any more; sign in again, in another tab if something here is not saved yet.';
    }
    try {
        const said = await answer.json();
        const text = said.error ?? (said.messages ?? []).map((one) => one.text).join(' ');
        if (text) {
            return text;
        }
    } catch {
        // no JSON: the status must do
    }
    return `Splunk answered with HTTP ${answer.status}.`;
}

async function ask(method, path, { query = {}, form, json, owner = 'nobody' } = {}) {
    const init = {
        method,
        credentials: 'include',
        headers: { 'X-Splunk-Form-Key': getCSRFToken() ?? '', 'X-Requested-With': 'XMLHttpRequest' },
    };
    if (form) {
        init.body = new URLSearchParams({ ...form, output_mode: 'json' });
    } else if (json !== undefined) {
        init.headers['Content-Type'] = 'application/json';
        init.body = JSON.stringify(json);
    }
    const asked = new URLSearchParams(form ? query : { output_mode: 'json', ...query });
    const url = createRESTURL(path, { app: APP, owner });
    let answer;
    try {
        answer = await fetch([url, asked.toString()].filter(Boolean).join('?'), init);
    } catch {
        throw new SplunkError(0, 'Splunk Web does not answer; is the network there?');
    }
    if (!answer.ok) {
        throw new SplunkError(answer.status, await reason(answer));
    }
    const text = await answer.text();
    return text ? JSON.parse(text) : null;
}

export const get = (path, query) => ask('GET', path, { query });
export const postForm = (path, form) => ask('POST', path, { form });
export const postJson = (path, json) => ask('POST', path, { json });
export const remove = (path) => ask('DELETE', path);

// All objects of an endpoint: [{name, ...content}].
export async function list(path) {
    const feed = await get(path, { count: 0 });
    return feed.entry.map((one) => ({ ...one.content, name: one.name }));
}

// {username, roles, capabilities} of who is signed in.
export async function person() {
    const [found] = (await ask('GET', 'authentication/current-context')).entry;
    return found.content;
}

// The rows of a search, run as that person.
export async function search(spl, username, earliest = '0') {
    const form = { search: spl, exec_mode: 'oneshot', earliest_time: earliest, latest_time: 'now', count: 0 };
    return (await ask('POST', 'search/jobs', { form, owner: username })).results ?? [];
}

// A text as a literal of SPL.
export const quoted = (text) => `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;

export const viewUrl = (view, tokens = {}) => createURL(`/app/${APP}/${view}`, tokens);
export const searchUrl = (spl, earliest = '0') => viewUrl('search', { q: spl, earliest, latest: 'now' });
