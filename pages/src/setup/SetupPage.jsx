// Sets the app up: servers, inputs, done. Splunk leads here as long as app.conf says is_configured = false.
import Button from '@splunk/react-ui/Button';
import Heading from '@splunk/react-ui/Heading';
import Link from '@splunk/react-ui/Link';
import Message from '@splunk/react-ui/Message';
import Paragraph from '@splunk/react-ui/Paragraph';
import WaitSpinner from '@splunk/react-ui/WaitSpinner';
import { useCallback, useEffect, useState } from 'react';
import { person, viewUrl } from '../splunk';
import * as api from './api';
import { Inputs } from './Inputs';
import { Servers } from './Servers';

const CAPABILITY = 'edit_copydicom';

function Finish({ configured, ready, finished }) {
    const [error, setError] = useState('');
    const finish = async () => {
        setError('');
        try {
            await api.finish();
            finished();
        } catch (failure) {
            setError(
                failure.status === 403
                    ? 'All is saved, but only an admin may tell Splunk that the set-up is done: ask one to open this page.'
                    : failure.message,
            );
        }
    };
    return (
        <section aria-label="Finish">
            <Heading level={2}>3. Finish</Heading>
            {configured ? (
                <div role="status">
                    <Message type="success">
                        The set-up is done. <Link to={viewUrl('overview')}>Go to the dashboards</Link>
                    </Message>
                </div>
            ) : (
                <>
                    <Paragraph>Until then Splunk leads to this page whoever opens the app.</Paragraph>
                    <Button appearance={ready ? 'primary' : 'secondary'} label="Finish the set-up" onClick={finish} />
                </>
            )}
            {error && (
                <Message type="error" role="alert">
                    {error}
                </Message>
            )}
        </section>
    );
}

export function SetupPage() {
    const [state, setState] = useState({ loading: true });
    const [activities, setActivities] = useState(null);

    const refresh = useCallback(async (inputs, username) => {
        try {
            setActivities(await api.activity(inputs, username));
        } catch {
            setActivities({}); // a person who may not search sets up all the same
        }
    }, []);
    const reload = useCallback(async () => {
        try {
            const who = await person();
            if (![who.capabilities].flat().includes(CAPABILITY)) {
                setState({ refused: true });
                return;
            }
            const [servers, inputs, roles, indexes, configured] = await Promise.all([
                api.servers(),
                api.inputs(),
                api.roles(),
                api.indexes(),
                api.isConfigured(),
            ]);
            setState({ who, servers, inputs, roles, indexes, configured });
            refresh(inputs, who.username);
        } catch (error) {
            setState((before) => ({ ...before, loading: false, error: error.message }));
        }
    }, [refresh]);
    useEffect(() => {
        reload();
    }, [reload]);

    if (state.loading) {
        return <WaitSpinner size="medium" screenReaderText="Loading" />;
    }
    if (state.refused) {
        return (
            <Message type="error" role="alert">
                <Message.Title>You may not set up this app.</Message.Title>
                Your roles lack the capability {CAPABILITY}; ask an admin for the role copydicom_admin.
            </Message>
        );
    }
    return (
        <>
            {state.error && (
                <Message type="error" role="alert">
                    {state.error}
                </Message>
            )}
            {state.servers && (
                <>
                    <Servers servers={state.servers} inputs={state.inputs} reload={reload} />
                    <Inputs
                        {...state}
                        activities={activities}
                        reload={reload}
                        refresh={() => refresh(state.inputs, state.who.username)}
                    />
                    <Finish
                        configured={state.configured}
                        ready={state.inputs.length > 0}
                        finished={() => setState((before) => ({ ...before, configured: true }))}
                    />
                </>
            )}
        </>
    );
}
