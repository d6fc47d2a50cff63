// Tickets of studies whose dose somebody should look at: the KV store's dose_tickets holds what is the case, and
// dose_ticket_history each state that there was.
//
// Nobody overwrites somebody else's word unseen: a change first takes the next number of the history, as the key of
// its entry, and the KV store gives a key once. Who saves on top of what they have not seen finds the number taken.
import { get, postJson, SplunkError } from '../splunk';

const TICKETS = 'storage/collections/data/dose_tickets';
const HISTORY = 'storage/collections/data/dose_ticket_history';
export const STATES = ['open', 'reviewed', 'justified'];
export const LONGEST = 2000; // characters of a comment
const UID = /^[0-9.]{1,64}$/;

export const isUid = (text) => UID.test(text ?? '');

export class ConflictError extends Error {}

const numberOf = (entry) => Number(String(entry._key).match(/#(\d+)$/)?.[1] ?? 0);

// {ticket, history (latest first), number (of the last change)}; the ticket is open when nobody has written it.
export async function ticketOf(uid) {
    const query = JSON.stringify({ study_instance_uid: uid });
    const [tickets, history] = await Promise.all([get(TICKETS, { query }), get(HISTORY, { query })]);
    const number = Math.max(history.length, ...history.map(numberOf));
    history.sort((one, other) => numberOf(other) - numberOf(one) || other.updated - one.updated);
    // The history is written first, so its latest entry is the case even where the ticket's own write was lost; but a
    // search may have written the ticket past the history. Clocks of browsers differ, so times decide only then.
    const [ticket] = tickets;
    const [latest] = history;
    const past = ticket && !history.some((one) => one.updated === ticket.updated && one.reviewer === ticket.reviewer);
    const shown = past && !(latest?.updated > ticket.updated) ? ticket : latest;
    return { ticket: shown ?? { state: 'open', comment: '' }, history, number };
}

// Writes the next state. Raises ConflictError when there is one already that `number` does not know of.
export async function writeTicket({ uid, identifier, state, comment, reviewer, number }) {
    const entry = {
        study_instance_uid: uid,
        identifier,
        state,
        comment: comment.trim().slice(0, LONGEST),
        reviewer,
        updated: Math.round(Date.now()) / 1000,
    };
    try {
        await postJson(HISTORY, { ...entry, _key: `${uid}#${number + 1}` });
    } catch (error) {
        if (error instanceof SplunkError && error.status === 409) {
            throw new ConflictError();
        }
        throw error;
    }
    await postJson(`${TICKETS}/batch_save`, [{ ...entry, _key: uid }]);
}
