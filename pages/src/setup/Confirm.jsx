// Asks before something goes for good.
import Button from '@splunk/react-ui/Button';
import Message from '@splunk/react-ui/Message';
import Modal from '@splunk/react-ui/Modal';
import Paragraph from '@splunk/react-ui/Paragraph';
import { useState } from 'react';

export function Confirm({ title, text, action, act, close, returnFocus }) {
    const [error, setError] = useState('');
    const [busy, setBusy] = useState(false);
    const go = async () => {
        setBusy(true);
        try {
            await act();
        } catch (failure) {
            setError(failure.message);
            setBusy(false);
        }
    };
    return (
        <Modal open onRequestClose={close} returnFocus={returnFocus} style={{ width: 480 }}>
            <Modal.Header title={title} />
            <Modal.Body>
                <Paragraph>{text}</Paragraph>
                {error && (
                    <Message type="error" role="alert">
                        {error}
                    </Message>
                )}
            </Modal.Body>
            <Modal.Footer>
                <Button appearance="secondary" label="Cancel" onClick={close} />
                <Button appearance="destructive" label={action} onClick={go} disabled={busy} />
            </Modal.Footer>
        </Modal>
    );
}
