// What the set-up page reads and writes.
import { get, list, postForm, postJson, quoted, remove, search, APP, SplunkError } from '../splunk';

const SERVERS = 'configs/conf-copydicom_servers';
const INPUTS = 'data/inputs/orthanc';
const input = (name) => `${INPUTS}/${encodeURIComponent(name)}`;

export const servers = () => list(SERVERS);
export const inputs = () => list(INPUTS);

// What a person may not list is no error: the page says that it does not know.
async function unlessRefused(promise) {
    try {
        return await promise;
    } catch (error) {
        if (error instanceof SplunkError && (error.status === 403 || error.status === 404)) {
            return null;
        }
        throw error;
    }
}

export const roles = () => unlessRefused(list('authorization/roles'));
export const indexes = () => unlessRefused(list('data/indexes'));

export const testServer = (fields) => postJson('copydicom/test', fields);
export const saveServer = (fields, isNew) =>
    postJson('copydicom/server', { action: 'save', new: String(isNew), ...fields });
export const removeServer = (name) => postJson('copydicom/server', { action: 'remove', name });

export const addInput = (name, fields) =>
    postForm(INPUTS, { name, ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')) });
export const changeInput = (name, fields) => postForm(input(name), fields);
export const switchInput = (name, on) => postForm(`${input(name)}/${on ? 'enable' : 'disable'}`, {});
export const removeInput = (name) => remove(input(name));

export async function isConfigured() {
    const { entry } = await get(`apps/local/${APP}`);
    return [true, 1, '1', 'true'].includes(entry[0].content.configured);
}
export const finish = () => postForm(`apps/local/${APP}`, { configured: 'true' });

// What the inputs have brought and how they are doing, as far as this person may search: by name
// {count, arrived (epoch seconds), lag, lagSeconds, walking, error}.
export async function activity(found, username) {
    const activities = {};
    const of = (name) => {
        activities[name] ??= {};
        return activities[name];
    };
    const indexNames = [...new Set(found.map((one) => one.index || 'dicom'))].filter((name) => /^[\w-]+$/.test(name));
    const sources = indexNames.map(async (index) => {
        const spl = `| metadata type=sources index=${index} | search source="orthanc://*" | table source totalCount recentTime`;
        (await search(spl, username)).forEach((row) => {
            const known = of(row.source.replace('orthanc://', ''));
            known.count = (known.count ?? 0) + Number(row.totalCount);
            known.arrived = Math.max(known.arrived ?? 0, Number(row.recentTime));
        });
    });
    const spl = '`feed_log` | `feed_health_rows` | table input lag lag_seconds walking failed last_error state';
    const health = search(`search ${spl}`, username, '-7d').then((rows) =>
        rows.forEach((row) =>
            Object.assign(of(row.input), {
                lag: row.lag === undefined || row.lag === '' ? null : Number(row.lag),
                lagSeconds: Number(row.lag_seconds || 0),
                walking: row.walking === 'true',
                error: row.last_error || '',
            }),
        ),
    );
    await Promise.all([...sources, health]);
    return activities;
}

export const eventsOf = (one) => `index=${one.index || 'dicom'} source=${quoted(`orthanc://${one.name}`)}`;
