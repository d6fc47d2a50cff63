// The ticket of one study: what became of a dose that somebody should look at. The study is named in the address,
// `?form.study=<its UID>`, as the dashboard Outliers links to it.
import Button from '@splunk/react-ui/Button';
import ControlGroup from '@splunk/react-ui/ControlGroup';
import DefinitionList from '@splunk/react-ui/DefinitionList';
import Heading from '@splunk/react-ui/Heading';
import Link from '@splunk/react-ui/Link';
import Message from '@splunk/react-ui/Message';
import Paragraph from '@splunk/react-ui/Paragraph';
import TextArea from '@splunk/react-ui/TextArea';
import WaitSpinner from '@splunk/react-ui/WaitSpinner';
import { useCallback, useEffect, useState } from 'react';
import { Cell, Listed, Row } from '../table';
import { RadioField } from '../fields';
import { person, viewUrl } from '../splunk';
import { studyOf } from './study';
import { ConflictError, isUid, LONGEST, ticketOf, writeTicket } from './tickets';

const MEANING = [
    ['open', 'Open', 'Somebody has still to look at it.'],
    ['reviewed', 'Reviewed', 'Looked at; the comment says what follows from it.'],
    ['justified', 'Justified', 'Looked at; the dose was right for this patient.'],
];
const NAMES = Object.fromEntries(MEANING);
const LABELS = [
    ['identifier', 'Study'],
    ['day', 'Began'],
    ['modality', 'Modality'],
    ['standard_procedure', 'Procedure'],
    ['device_name', 'Device'],
];

const when = (seconds) => new Date(Number(seconds) * 1000).toLocaleString();

function Study({ study, uid }) {
    const rows = study ? LABELS.filter(([key]) => study[key]) : [];
    return (
        <>
            {rows.length > 0 ? (
                <DefinitionList termWidth="120px">
                    {rows.map(([key, label]) => [
                        <DefinitionList.Term key={key}>{label}</DefinitionList.Term>,
                        <DefinitionList.Description key={`${key} told`}>{study[key]}</DefinitionList.Description>,
                    ])}
                </DefinitionList>
            ) : (
                <Paragraph>
                    No dose of study {uid} is in the index, or your roles may not search it. Its ticket can be read all
                    the same.
                </Paragraph>
            )}
            <Paragraph>
                <Link to={viewUrl('study', { 'form.study': uid })}>Its doses</Link>
                {' · '}
                <Link to={viewUrl('outliers')}>All outliers</Link>
            </Paragraph>
        </>
    );
}

function History({ history }) {
    if (!history.length) {
        return <Paragraph>Nobody has written to this ticket yet.</Paragraph>;
    }
    return (
        <Listed label="History" heads={['When', 'Who', 'State', 'Comment']}>
            {history.map((one) => (
                <Row key={one._key}>
                    <Cell>{when(one.updated)}</Cell>
                    <Cell>{one.reviewer}</Cell>
                    <Cell>{NAMES[one.state] ?? one.state}</Cell>
                    <Cell>{one.comment}</Cell>
                </Row>
            ))}
        </Listed>
    );
}

function Ticket({ uid }) {
    const [who, setWho] = useState(null);
    const [study, setStudy] = useState(undefined); // not asked yet; null: not there
    const [found, setFound] = useState(null); // {ticket, history, number}
    const [values, setValues] = useState({});
    const [errors, setErrors] = useState({});
    const [said, setSaid] = useState(null); // {type, text}
    const [busy, setBusy] = useState(false);

    const load = useCallback(async () => {
        const now = await ticketOf(uid);
        setFound(now);
        return now;
    }, [uid]);
    useEffect(() => {
        (async () => {
            try {
                const me = await person();
                setWho(me.username);
                const { ticket } = await load();
                setValues({ state: ticket.state, comment: '' });
                setStudy(await studyOf(uid, me.username).catch(() => null));
            } catch (error) {
                setSaid({ type: 'error', text: error.message });
            }
        })();
    }, [uid, load]);

    const change = (name, value) => {
        setValues((before) => ({ ...before, [name]: value }));
        setErrors((before) => ({ ...before, [name]: undefined }));
        setSaid(null);
    };
    const save = async (event) => {
        event.preventDefault();
        if (busy) {
            return;
        }
        if (values.state !== 'open' && !values.comment.trim()) {
            setErrors({ comment: 'Say why, for who looks at it after you.' });
            return;
        }
        setBusy(true);
        setSaid(null);
        try {
            const identifier = study?.identifier || found.ticket.identifier || uid;
            await writeTicket({ uid, identifier, ...values, reviewer: who, number: found.number });
            await load();
            setValues((before) => ({ ...before, comment: '' }));
            setSaid({ type: 'success', text: `Saved as ${NAMES[values.state].toLowerCase()} by ${who}.` });
        } catch (error) {
            setSaid({ type: 'error', text: await told(error) });
        }
        setBusy(false);
    };
    const told = async (error) => {
        if (error instanceof ConflictError) {
            const { ticket } = await load();
            return (
                `Not saved: meanwhile ${ticket.reviewer} has set this ticket to ${NAMES[ticket.state] ?? ticket.state}. ` +
                'Read the history below; your words are still here, to save on top or to leave.'
            );
        }
        if (error.status === 403) {
            return 'Not saved: your roles may read tickets and not write them; ask an admin for one that may.';
        }
        await load().catch(() => null); // the history may have it already
        return `Not saved as a whole: ${error.message} Save again.`;
    };

    if (!found) {
        return said ? (
            <Message type="error" role="alert">
                {said.text}
            </Message>
        ) : (
            <WaitSpinner size="medium" screenReaderText="Loading" />
        );
    }
    const { ticket, history } = found;
    return (
        <>
            <Heading level={2}>
                {ticket.identifier || study?.identifier || uid}: {NAMES[ticket.state] ?? ticket.state}
            </Heading>
            {study === undefined ? <WaitSpinner screenReaderText="Loading the study" /> : <Study {...{ study, uid }} />}
            <form onSubmit={save} noValidate aria-label="Ticket">
                <fieldset disabled={busy}>
                    <RadioField
                        name="state"
                        label="State"
                        values={values}
                        change={change}
                        options={MEANING}
                        required
                    />
                    <ControlGroup
                        label="Comment"
                        labelWidth={170}
                        error={errors.comment}
                        help="Everybody who may open this app can read it: no names of patients."
                    >
                        <TextArea
                            name="comment"
                            value={values.comment}
                            onChange={(event, { value }) => change('comment', value)}
                            error={Boolean(errors.comment)}
                            maxLength={LONGEST}
                            rowsMin={3}
                        />
                    </ControlGroup>
                    <ControlGroup label="Reviewer" labelWidth={170} controlsLayout="none">
                        <span>{who}</span>
                    </ControlGroup>
                </fieldset>
                <p>
                    <Button appearance="primary" type="submit" label="Save ticket" disabled={busy ? 'dimmed' : undefined} />
                </p>
            </form>
            <div role={said?.type === 'error' ? 'alert' : 'status'}>
                {said && <Message type={said.type}>{said.text}</Message>}
            </div>
            <Heading level={3}>History</Heading>
            <History history={history} />
        </>
    );
}

export function TicketPage() {
    const query = new URLSearchParams(window.location.search);
    const uid = (query.get('form.study') ?? query.get('study') ?? '').trim();
    if (!isUid(uid)) {
        return (
            <Message type="info">
                A ticket belongs to a study: open one from <Link to={viewUrl('outliers')}>Outliers</Link>.
            </Message>
        );
    }
    return <Ticket uid={uid} />;
}
