// The inputs: what each reads, whether it is on, how far behind it is, what it has brought; and the form for one.
import Button from '@splunk/react-ui/Button';
import Heading from '@splunk/react-ui/Heading';
import Link from '@splunk/react-ui/Link';
import Message from '@splunk/react-ui/Message';
import Paragraph from '@splunk/react-ui/Paragraph';
import Switch from '@splunk/react-ui/Switch';
import { Actions, Cell, Listed, Row } from '../table';
import { searchUrl } from '../splunk';
import { eventsOf, removeInput, switchInput } from './api';
import { Removal, useEditing } from './editing';
import { InputForm } from './InputForm';
import { isOn } from './settings';

const PHI = { keep: 'kept', hash: 'pseudonyms', drop: 'left out' };
const HEADS = ['Name', 'Server', 'Patients’ data', 'On', 'Lag', 'Latest event', 'Events', 'Actions'];

function ago(seconds) {
    const past = Math.max(0, Date.now() / 1000 - seconds);
    const [size, unit] = [
        [86400, 'day'],
        [3600, 'hour'],
        [60, 'minute'],
        [1, 'second'],
    ].find(([length]) => past >= length) ?? [1, 'second'];
    return new Intl.RelativeTimeFormat('en').format(-Math.floor(past / size), unit);
}

function lagOf(activity) {
    if (activity?.error) {
        return `failing: ${activity.error}`;
    }
    if (!activity || activity.lag === undefined || activity.lag === null) {
        return 'not known';
    }
    if (activity.lag === 0) {
        return 'none';
    }
    const changes = `${activity.lag.toLocaleString('en')} changes`;
    const late = activity.lagSeconds ? `, ${Math.ceil(activity.lagSeconds / 60)} min` : '';
    return activity.walking ? `reading the archive; ${changes}` : `${changes}${late}`;
}

export function Inputs({ inputs, servers, roles, indexes, activities, reload, refresh }) {
    const editing = useEditing();
    const { form, open, close, removing, said, say } = editing;

    const turn = (one) => async () => {
        try {
            await switchInput(one.name, !isOn(one));
            await reload();
            say({ type: 'success', text: `Input ${one.name} is ${isOn(one) ? 'off' : 'on'}.` });
        } catch (error) {
            say({ type: 'error', text: error.message });
        }
    };
    if (form) {
        const done = async (name) => {
            await reload();
            say({ type: 'success', text: `Input ${name} is saved; its first events come within its interval.` });
            close();
        };
        return (
            <section aria-label="Inputs">
                <Heading level={2}>2. Inputs</Heading>
                <InputForm {...{ inputs, servers, roles, indexes, done }} saved={form.saved} cancel={close} />
            </section>
        );
    }
    return (
        <section aria-label="Inputs">
            <Heading level={2}>2. Inputs</Heading>
            {inputs.length === 0 ? (
                <Paragraph>
                    None yet. An input follows one server and indexes what is in it. On a cluster of search heads inputs
                    belong on a heavy forwarder: set this page up there.
                </Paragraph>
            ) : (
                <Listed label="Inputs" heads={HEADS}>
                    {inputs.map((one) => {
                        const activity = activities?.[one.name];
                        return (
                            <Row key={one.name}>
                                <Cell>{one.name}</Cell>
                                <Cell>{one.server}</Cell>
                                <Cell>{PHI[one.phi] ?? one.phi}</Cell>
                                <Cell>
                                    <Switch
                                        appearance="toggle"
                                        aria-label={`Input ${one.name}`}
                                        selected={isOn(one)}
                                        onClick={turn(one)}
                                    />
                                </Cell>
                                <Cell>{activities ? lagOf(activity) : '…'}</Cell>
                                <Cell>
                                    {activity?.arrived ? (
                                        <Link to={searchUrl(eventsOf(one))} openInNewContext>
                                            {ago(activity.arrived)}
                                        </Link>
                                    ) : activities ? (
                                        'none yet'
                                    ) : (
                                        '…'
                                    )}
                                </Cell>
                                <Cell>{(activity?.count ?? 0).toLocaleString('en')}</Cell>
                                <Actions>
                                    <Button
                                        appearance="secondary"
                                        label="Edit"
                                        aria-label={`Edit ${one.name}`}
                                        onClick={open(one)}
                                    />{' '}
                                    <Button
                                        appearance="subtle"
                                        label="Remove"
                                        aria-label={`Remove input ${one.name}`}
                                        onClick={() => editing.setRemoving(one)}
                                    />
                                </Actions>
                            </Row>
                        );
                    })}
                </Listed>
            )}
            <p>
                <Button
                    appearance={servers.length && !inputs.length ? 'primary' : 'secondary'}
                    label="Add an input"
                    onClick={open(null)}
                    disabled={servers.length === 0}
                    elementRef={editing.adder}
                />{' '}
                {inputs.length > 0 && <Button appearance="subtle" label="Look again" onClick={refresh} />}
            </p>
            <div role="status">{said && <Message type={said.type}>{said.text}</Message>}</div>
            {removing && (
                <Removal
                    what="input"
                    text={
                        'What is indexed stays. Another input of the same name takes up where this one stopped; to pause ' +
                        'it, switch it off instead.'
                    }
                    editing={editing}
                    remove={removeInput}
                    reload={reload}
                />
            )}
        </section>
    );
}
