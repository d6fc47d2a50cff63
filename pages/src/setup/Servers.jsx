// The Orthanc servers: a table, and in its place the form that adds or edits one.
import Button from '@splunk/react-ui/Button';
import Heading from '@splunk/react-ui/Heading';
import Message from '@splunk/react-ui/Message';
import Paragraph from '@splunk/react-ui/Paragraph';
import { useState } from 'react';
import { Actions, Cell, Listed, Row } from '../table';
import { removeServer, testServer } from './api';
import { Removal, useEditing } from './editing';
import { ServerForm } from './ServerForm';
import { serverForm } from './settings';
import { TestReport } from './TestReport';

export function Servers({ servers, inputs, reload }) {
    const editing = useEditing();
    const { form, close, removing, said, say } = editing;
    const [tested, setTested] = useState(null); // {name, report}

    const open = (saved) => (event) => {
        setTested(null);
        editing.open(saved)(event);
    };
    const test = (name) => async () => {
        setTested({ name, report: null });
        try {
            setTested({ name, report: await testServer({ name }) });
        } catch (error) {
            setTested({ name, report: { ok: false, message: error.message } });
        }
    };
    if (form) {
        const done = async (name) => {
            await reload();
            say({ type: 'success', text: `Server ${name} is saved.` });
            close();
        };
        return (
            <section aria-label="Orthanc servers">
                <Heading level={2}>1. Orthanc servers</Heading>
                <ServerForm saved={form.saved} servers={servers} done={done} cancel={close} />
            </section>
        );
    }
    const users = removing ? inputs.filter((one) => one.server === removing.name).map((one) => one.name) : [];
    return (
        <section aria-label="Orthanc servers">
            <Heading level={2}>1. Orthanc servers</Heading>
            {servers.length === 0 ? (
                <Paragraph>None yet. Add the servers to index from, and those to copy to.</Paragraph>
            ) : (
                <Listed label="Servers" heads={['Name', 'Address', 'User', 'Certificate', 'Actions']}>
                    {servers.map((one) => (
                        <Row key={one.name}>
                            <Cell>{one.name}</Cell>
                            <Cell>{one.base_url}</Cell>
                            <Cell>{one.username || 'no login'}</Cell>
                            <Cell>
                                {!/^https:/.test(one.base_url ?? '')
                                    ? 'no TLS'
                                    : serverForm(one).verify_tls
                                      ? 'checked'
                                      : 'not checked'}
                            </Cell>
                            <Actions>
                                <Button
                                    appearance="secondary"
                                    label="Test"
                                    aria-label={`Test ${one.name}`}
                                    onClick={test(one.name)}
                                />{' '}
                                <Button
                                    appearance="secondary"
                                    label="Edit"
                                    aria-label={`Edit ${one.name}`}
                                    onClick={open(one)}
                                />{' '}
                                <Button
                                    appearance="subtle"
                                    label="Remove"
                                    aria-label={`Remove server ${one.name}`}
                                    onClick={() => editing.setRemoving(one)}
                                />
                            </Actions>
                        </Row>
                    ))}
                </Listed>
            )}
            <p>
                <Button
                    appearance={servers.length ? 'secondary' : 'primary'}
                    label="Add a server"
                    onClick={open(null)}
                    elementRef={editing.adder}
                />
            </p>
            <div role="status">{said && <Message type={said.type}>{said.text}</Message>}</div>
            {tested && !tested.report && <p role="status">Testing {tested.name}…</p>}
            {tested?.report && <TestReport {...tested} />}
            {removing && (
                <Removal
                    what="server"
                    text={
                        (users.length ? `These inputs read from it and will fail: ${users.join(', ')}. ` : '') +
                        'Its password goes too. What is indexed stays.'
                    }
                    editing={editing}
                    remove={removeServer}
                    reload={reload}
                />
            )}
        </section>
    );
}
