// Servers and inputs as forms hold them, and what is wrong with a form before splunkd is asked.

export const NAME = /^[A-Za-z0-9_.-]{1,100}$/;
const TRUE = /^(1|true|t|yes|y|on)$/i;

// Settings of a server: of its connection, as a destination of copies, and its switches.
export const CONNECTION = ['base_url', 'username', 'ca_bundle', 'timezone', 'max_connections'];
export const DESTINATION = ['roles', 'max_instances', 'peer'];
export const SERVER_SWITCHES = ['verify_tls', 'rewrites', 'requires_anonymized', 'deidentified', 'allow_ownerless'];
export const NEW_SERVER = { name: '', verify_tls: true, timezone: 'UTC', max_connections: '4', max_instances: '0' };

const truth = (text) => (typeof text === 'boolean' ? text : TRUE.test(text ?? ''));
const address = (text) => (text ?? '').trim().replace(/\/+$/, '');

export function serverForm(stanza) {
    const form = { name: stanza.name };
    [...CONNECTION, ...DESTINATION].forEach((key) => {
        form[key] = stanza[key] ?? '';
    });
    SERVER_SWITCHES.forEach((key) => {
        form[key] = truth(stanza[key] ?? (key === 'verify_tls' ? 'true' : 'false'));
    });
    return form;
}

// What is sent: all settings as texts; the password only when one was typed.
export function serverFields(form) {
    const fields = { name: form.name };
    [...CONNECTION, ...DESTINATION].forEach((key) => {
        fields[key] = (form[key] ?? '').trim();
    });
    SERVER_SWITCHES.forEach((key) => {
        fields[key] = String(Boolean(form[key]));
    });
    return form.password ? { ...fields, password: form.password } : fields;
}

// Whether the stored password was given for something else than what the form says now; splunkd's side asks the same.
export function asksForPassword(form, saved) {
    if (!form.username?.trim()) {
        return false;
    }
    if (!saved) {
        return true;
    }
    const before = serverForm(saved);
    return (
        address(before.base_url) !== address(form.base_url) ||
        before.username.trim() !== form.username.trim() ||
        (before.verify_tls && !form.verify_tls) ||
        (form.verify_tls && before.ca_bundle.trim() !== (form.ca_bundle ?? '').trim())
    );
}

export function serverErrors(form, saved, servers) {
    const errors = {};
    if (!saved && !NAME.test(form.name)) {
        errors.name = 'Letters, digits, dot, dash and underscore.';
    } else if (!saved && servers.some((one) => one.name === form.name)) {
        errors.name = 'There is a server of this name already.';
    }
    const url = (form.base_url ?? '').trim();
    if (!/^https?:\/\/[^\s/@]+/.test(url)) {
        errors.base_url = 'An address such as https://pacs.example.org:8042, without user and password.';
    }
    ['max_connections', 'max_instances'].forEach((key) => {
        if ((form[key] ?? '').trim() && !/^\d+$/.test(form[key].trim())) {
            errors[key] = 'A whole number.';
        }
    });
    if (asksForPassword(form, saved) && !form.password) {
        errors.password = saved
            ? 'Enter the password again: the stored one was given for the address, user and TLS settings as they were.'
            : 'Enter the password of this user.';
    }
    return errors;
}

// Keys of an input that are plain texts; an empty one is left to Splunk's defaults when it is new.
const INPUT_TEXTS = ['server', 'index', 'interval', 'level', 'start', 'phi', 'exclude_tags', 'workers', 'backfill'];
const INPUT_SWITCHES = ['dose', 'dose_from_images'];

// No privacy mode and no start: a person is to choose them.
export const NEW_INPUT = {
    name: '',
    server: '',
    index: 'dicom',
    interval: '30',
    level: 'instance',
    tags: 'all',
    keywords: '',
    dose: true,
    dose_from_images: false,
    workers: '3',
    max_event_bytes: '100000',
};

export function inputForm(stanza) {
    const form = { name: stanza.name, keywords: '', max_event_bytes: stanza.max_event_bytes ?? '' };
    INPUT_TEXTS.forEach((key) => {
        form[key] = stanza[key] ?? '';
    });
    INPUT_SWITCHES.forEach((key) => {
        form[key] = truth(stanza[key]);
    });
    form.tags = ['', 'all', 'main'].includes(stanza.tags ?? '') ? stanza.tags || 'all' : 'list';
    form.keywords = form.tags === 'list' ? stanza.tags : '';
    return form;
}

export function inputFields(form) {
    const fields = {};
    [...INPUT_TEXTS, 'max_event_bytes'].forEach((key) => {
        fields[key] = (form[key] ?? '').trim();
    });
    INPUT_SWITCHES.forEach((key) => {
        fields[key] = String(Boolean(form[key]));
    });
    fields.tags = form.tags === 'list' ? form.keywords.trim() : form.tags;
    return fields;
}

export function inputErrors(form, saved, inputs) {
    const errors = {};
    if (!saved && !NAME.test(form.name)) {
        errors.name = 'Letters, digits, dot, dash and underscore.';
    } else if (!saved && inputs.some((one) => one.name === form.name)) {
        errors.name = 'There is an input of this name already.';
    }
    if (!form.server) {
        errors.server = 'Choose a server; add one above if there is none.';
    }
    if (!form.index?.trim()) {
        errors.index = 'Name the index.';
    }
    if (!form.phi) {
        errors.phi = "Choose what becomes of patients' data: it cannot be taken out of the index afterwards.";
    }
    if (!form.start) {
        errors.start = 'Choose where to begin.';
    }
    if (form.tags === 'list' && !form.keywords.trim()) {
        errors.keywords = 'Name at least one DICOM keyword.';
    }
    return errors;
}

export const isOn = (input) => !truth(input.disabled);
