// Adds or edits one Orthanc server, and tests it with what the form says.
import Button from '@splunk/react-ui/Button';
import CollapsiblePanel from '@splunk/react-ui/CollapsiblePanel';
import { useState } from 'react';
import { SwitchField, TextField } from '../fields';
import { saveServer, testServer } from './api';
import { FormFrame, useForm } from './forms';
import { asksForPassword, NEW_SERVER, serverErrors, serverFields, serverForm } from './settings';
import { TestReport } from './TestReport';

const TESTED = ['name', 'base_url', 'username', 'verify_tls', 'ca_bundle', 'timezone', 'password'];

export function ServerForm({ saved, servers, done, cancel }) {
    const [report, setReport] = useState(null);
    const form = useForm(
        saved ? serverForm(saved) : NEW_SERVER,
        (values) => serverErrors(values, saved, servers),
        () => setReport(null),
    );
    const { values, errors, busy, change, during } = form;

    const test = during('test', async () => {
        setReport(null);
        const told = Object.entries(serverFields(values)).filter(([key]) => TESTED.includes(key));
        setReport(await testServer(Object.fromEntries(told)));
    });
    const save = during('save', async () => {
        const fields = serverFields(values);
        await saveServer(fields, !saved);
        done(fields.name);
    });

    const common = { values, change };
    const needsPassword = asksForPassword(values, saved);
    const passwordHelp = needsPassword
        ? 'Kept encrypted in Splunk’s password storage; never shown again.'
        : 'Stored. Leave it empty to keep it.';
    return (
        <>
            <FormFrame
                title={saved ? `Edit ${saved.name}` : 'Add a server'}
                form={form}
                save={save}
                saveLabel="Save server"
                cancel={cancel}
                buttons={
                    <>
                        <Button
                            appearance="secondary"
                            label={busy === 'test' ? 'Testing…' : 'Test connection'}
                            onClick={test}
                            disabled={busy ? 'dimmed' : undefined}
                        />{' '}
                    </>
                }
            >
                {!saved && (
                    <TextField
                        {...common}
                        name="name"
                        label="Name"
                        help="What searches and inputs call it, on every Splunk instance the same."
                        error={errors.name}
                        required
                        autoFocus
                    />
                )}
                <TextField
                    {...common}
                    name="base_url"
                    label="Address"
                    help="Of Orthanc’s REST API, such as https://pacs.example.org:8042"
                    error={errors.base_url}
                    required
                    autoFocus={Boolean(saved)}
                />
                <TextField {...common} name="username" label="User" help="Empty: Orthanc asks for no login." />
                {values.username?.trim() && (
                    <TextField
                        {...common}
                        name="password"
                        label="Password"
                        type="password"
                        autoComplete="new-password"
                        help={passwordHelp}
                        error={errors.password}
                        required={needsPassword}
                    />
                )}
                <SwitchField
                    {...common}
                    name="verify_tls"
                    label="Check certificate"
                    help="Off: whoever stands in between can read the password and the images."
                />
                <TextField
                    {...common}
                    name="ca_bundle"
                    label="Certificate file"
                    help="Path, on this Splunk server, of the authorities to trust where the machine’s own do not do."
                />
                <TextField
                    {...common}
                    name="timezone"
                    label="Time zone"
                    help="Of dates that name no zone themselves, such as Europe/Berlin."
                />
                <TextField
                    {...common}
                    name="max_connections"
                    label="Requests at once"
                    error={errors.max_connections}
                    inputMode="numeric"
                />
                <CollapsiblePanel title="As the destination or source of copies" headingLevel={4}>
                    <TextField
                        {...common}
                        name="roles"
                        label="Roles"
                        help="Splunk roles that may send here, separated by commas. Empty: every role that may copy."
                    />
                    <TextField
                        {...common}
                        name="max_instances"
                        label="Instances a search"
                        help="A search may copy no more; 0 is no limit."
                        error={errors.max_instances}
                        inputMode="numeric"
                    />
                    <TextField
                        {...common}
                        name="peer"
                        label="Name as a peer"
                        help="What other Orthancs call it, for method=peer. Empty: its name here."
                    />
                    <SwitchField
                        {...common}
                        name="requires_anonymized"
                        label="Only anonymized"
                        help="It takes only copies that the search anonymizes, or from a source that holds nothing else."
                    />
                    <SwitchField
                        {...common}
                        name="rewrites"
                        label="Gives new ids"
                        help="For example since it de-identifies what arrives. What was sent is then remembered."
                    />
                    <SwitchField
                        {...common}
                        name="deidentified"
                        label="Holds no patients"
                        help="As a source: nothing in it names a patient. Only you can know."
                    />
                    <SwitchField
                        {...common}
                        name="allow_ownerless"
                        label="Takes from nobody"
                        help="Searches without an owner may send here; nobody answers for what they copy."
                    />
                </CollapsiblePanel>
            </FormFrame>
            {report && <TestReport name={values.name} report={report} />}
        </>
    );
}
