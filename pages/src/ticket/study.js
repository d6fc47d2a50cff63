// What the study of a ticket is, from its dose events: so much that a reviewer knows which one they look at.
import { quoted, search } from '../splunk';

const FIELDS = ['identifier', 'modality', 'standard_procedure', 'device_name', 'day'];

export async function studyOf(uid, username) {
    const spl =
        '`dose_study_search` study_instance_uid=' +
        `${quoted(uid)} | \`dose_latest\` | \`dose_labels\` | stats min(_time) AS began first(identifier) AS identifier ` +
        'first(modality) AS modality first(standard_procedure) AS standard_procedure first(device_name) AS device_name ' +
        'BY study_instance_uid | eval day=strftime(began, "%Y-%m-%d %H:%M")';
    const [row] = await search(`search ${spl}`, username);
    return row ? Object.fromEntries(FIELDS.map((name) => [name, row[name] ?? ''])) : null;
}
