// What the two tables share: a form in their place, the question before something is removed, what was done.
import { useRef, useState } from 'react';
import { Confirm } from './Confirm';

export function useEditing() {
    const [form, setForm] = useState(null); // {saved} while one is added (null) or edited
    const [removing, setRemoving] = useState(null);
    const [said, say] = useState(null); // {type, text}
    const adder = useRef(null);
    const opener = useRef(null);

    const open = (saved) => (event) => {
        opener.current = saved ? event.currentTarget : null;
        say(null);
        setForm({ saved });
    };
    const close = () => {
        setForm(null);
        // The table is there again only after this render.
        setTimeout(() => (opener.current?.isConnected ? opener.current : adder.current)?.focus());
    };
    return { form, open, close, removing, setRemoving, said, say, adder };
}

// Asks, removes by `remove(name)`, and says so.
export function Removal({ what, text, editing, remove, reload }) {
    const { removing, setRemoving, say, adder } = editing;
    return (
        <Confirm
            title={`Remove the ${what} ${removing.name}?`}
            text={text}
            action="Remove"
            act={async () => {
                await remove(removing.name);
                setRemoving(null);
                await reload();
                say({ type: 'success', text: `${what[0].toUpperCase()}${what.slice(1)} ${removing.name} is removed.` });
            }}
            close={() => setRemoving(null)}
            returnFocus={() => adder.current?.focus()}
        />
    );
}
