// What the two forms share: their values, what is wrong with them, the one thing that they are busy with.
import Button from '@splunk/react-ui/Button';
import Heading from '@splunk/react-ui/Heading';
import Message from '@splunk/react-ui/Message';
import { useState } from 'react';

// `check` gives the errors of values by field; `changed` is told that one of them changed.
export function useForm(initial, check, changed = () => {}) {
    const [values, setValues] = useState(initial);
    const [errors, setErrors] = useState({});
    const [problem, setProblem] = useState('');
    const [busy, setBusy] = useState('');

    const change = (name, value) => {
        setValues((before) => ({ ...before, [name]: value }));
        // Whether a password is needed depends on other fields.
        setErrors((before) => ({ ...before, [name]: undefined, password: undefined }));
        changed();
    };
    // The handler of a button: does its work when the values are good and nothing else goes on.
    const during = (what, work) => async (event) => {
        event.preventDefault();
        if (busy) {
            return;
        }
        const found = check(values);
        setErrors(found);
        if (Object.keys(found).length) {
            setProblem('Some fields need another look.');
            return;
        }
        setProblem('');
        setBusy(what);
        try {
            await work();
        } catch (error) {
            setProblem(error.message);
        }
        setBusy('');
    };
    return { values, errors, problem, busy, change, during };
}

// `children` are the fields, `buttons` stand before Save and Cancel.
export function FormFrame({ title, form, save, saveLabel, cancel, buttons = null, children }) {
    const { busy, problem } = form;
    return (
        <form onSubmit={save} noValidate aria-label={title} autoComplete="off">
            <Heading level={3}>{title}</Heading>
            <fieldset disabled={busy !== ''}>{children}</fieldset>
            <p>
                {buttons}
                <Button appearance="primary" type="submit" label={saveLabel} disabled={busy ? 'dimmed' : undefined} />{' '}
                <Button appearance="subtle" label="Cancel" onClick={cancel} />
            </p>
            {problem && (
                <Message type="error" role="alert">
                    {problem}
                </Message>
            )}
        </form>
    );
}
