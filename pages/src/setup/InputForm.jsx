// Adds or edits one input. What cannot be taken back (patients' data, where to begin) is asked and not preset.
import CollapsiblePanel from '@splunk/react-ui/CollapsiblePanel';
import Message from '@splunk/react-ui/Message';
import { useEffect, useState } from 'react';
import { RadioField, SelectField, SwitchField, TextField } from '../fields';
import { addInput, changeInput, testServer } from './api';
import { FormFrame, useForm } from './forms';
import { readersOf } from './readers';
import { inputErrors, inputFields, inputForm, NEW_INPUT } from './settings';
import { asSize, estimate } from './volume';

const PHI = [
    ['keep', 'Keep', 'Events hold what the images hold: names, numbers, dates of birth.'],
    [
        'hash',
        'Pseudonyms',
        'Names and numbers become keyed pseudonyms, the same for the same patient; UIDs are replaced, texts left out.',
    ],
    ['drop', 'Leave out', 'Names and numbers are left out; UIDs are replaced, texts left out.'],
];
const START = [
    ['beginning', 'With all that it holds', 'First the archive, then what arrives.'],
    ['now', 'With what arrives from now on', 'What it holds already stays out, unless a backfill asks for it.'],
];
const LEVEL = [
    ['instance', 'Every instance'],
    ['series', 'Every series', 'One event with its counts, once no more has come for a minute.'],
    ['study', 'Every study', 'One event with its counts, once no more has come for five minutes.'],
];
const TAGS = [
    ['all', 'All', 'Orthanc opens each file for them.'],
    ['main', 'Main tags', 'What Orthanc keeps in its database: some ten times as fast.'],
    ['list', 'These keywords'],
];

function Volume({ report, values }) {
    if (!values.server) {
        return <p>Choose a server to see how much this input would index.</p>;
    }
    if (!report) {
        return <p>Asking {values.server}…</p>;
    }
    if (!report.ok) {
        return (
            <Message type="warning">
                How much it would index is not known, and the input will not be saved before its server answers:{' '}
                {report.message}
            </Message>
        );
    }
    const { backlog, daily } = estimate(report, values);
    const instances = report.instances.toLocaleString('en');
    return (
        <>
            <p>
                <strong>Backlog: about {asSize(backlog)}</strong> for {instances} instances
                {values.start === 'now' ? ', which this input will not read' : ''}.{' '}
                <strong>A day: {daily === null ? 'not known' : `about ${asSize(daily)}`}</strong>
                {daily === null
                    ? '.'
                    : `, from ${report.studies_last_week.toLocaleString('en')} studies of the last seven days.`}
            </p>
            <p>
                An estimate, counted as Splunk’s licence counts: your server’s counts times what a million instances
                took over a year’s mix of modalities. Yours may take half or twice as much.
            </p>
        </>
    );
}

function Readers({ index, roles }) {
    if (!roles) {
        return <p>Who can search this index is not known: your roles may not list roles.</p>;
    }
    const names = readersOf(index, roles);
    return names.length ? (
        <p>
            Roles that can search <strong>{index}</strong>: {names.join(', ')}.
        </p>
    ) : (
        <p>
            No role can search <strong>{index}</strong> yet; an admin gives it to one in Settings, Roles.
        </p>
    );
}

export function InputForm({ saved, inputs, servers, roles, indexes, done, cancel }) {
    const only = servers.length === 1 ? servers[0].name : '';
    const form = useForm(saved ? inputForm(saved) : { ...NEW_INPUT, server: only }, (values) =>
        inputErrors(values, saved, inputs),
    );
    const { values, errors, change, during } = form;
    const [report, setReport] = useState(null);

    useEffect(() => {
        let current = true;
        setReport(null);
        if (values.server) {
            testServer({ name: values.server })
                .catch((error) => ({ ok: false, message: error.message }))
                .then((found) => current && setReport(found));
        }
        return () => {
            current = false;
        };
    }, [values.server]);

    const save = during('save', async () => {
        await (saved ? changeInput(saved.name, inputFields(values)) : addInput(values.name, inputFields(values)));
        done(values.name);
    });

    const common = { values, change };
    const eventIndexes = (indexes ?? []).map((one) => one.name).filter((name) => !name.startsWith('_'));
    return (
        <FormFrame
            title={saved ? `Edit ${saved.name}` : 'Add an input'}
            form={form}
            save={save}
            saveLabel="Save input"
            cancel={cancel}
        >
            {!saved && (
                <TextField {...common} name="name" label="Name" error={errors.name} required autoFocus />
            )}
            <SelectField
                {...common}
                name="server"
                label="Server"
                error={errors.server}
                options={servers.map((one) => one.name)}
                required
            />
            <RadioField
                {...common}
                name="phi"
                label="Patients’ data"
                help={saved ? 'Counts for what is indexed from then on.' : undefined}
                error={errors.phi}
                options={PHI}
                required
            />
            <RadioField
                {...common}
                name="start"
                label="Begin"
                help={saved ? 'Counts for the first run only.' : undefined}
                error={errors.start}
                options={START}
                required
            />
            <RadioField {...common} name="level" label="One event for" options={LEVEL} />
            <RadioField {...common} name="tags" label="Tags" options={TAGS} />
            {values.tags === 'list' && (
                <TextField
                    {...common}
                    name="keywords"
                    label="Keywords"
                    help="DICOM keywords, separated by commas."
                    error={errors.keywords}
                    required
                />
            )}
            <SwitchField
                {...common}
                name="dose"
                label="Dose reports"
                help="One event for each irradiation, too."
            />
            <SwitchField
                {...common}
                name="dose_from_images"
                label="Doses of images"
                help="From the headers, where a scanner sends no report."
            />
            {eventIndexes.length ? (
                <SelectField
                    {...common}
                    name="index"
                    label="Index"
                    error={errors.index}
                    options={[...new Set([...eventIndexes, values.index].filter(Boolean))].sort()}
                    required
                />
            ) : (
                <TextField {...common} name="index" label="Index" error={errors.index} required />
            )}
            <div role="status" aria-label="Estimate">
                <Volume report={report} values={values} />
                <Readers index={values.index} roles={roles} />
            </div>
            <CollapsiblePanel title="More" headingLevel={4}>
                <TextField
                    {...common}
                    name="interval"
                    label="Interval"
                    help="Seconds between two runs, or a cron schedule."
                />
                <TextField
                    {...common}
                    name="exclude_tags"
                    label="Leave out"
                    help="DICOM keywords that no event shall hold, separated by commas."
                />
                <TextField {...common} name="workers" label="Requests at once" inputMode="numeric" />
                <TextField
                    {...common}
                    name="max_event_bytes"
                    label="Largest event"
                    help="Bytes; beyond that the bulkiest sequences are left out."
                    inputMode="numeric"
                />
                <TextField
                    {...common}
                    name="backfill"
                    label="Backfill"
                    help="Days of StudyDate, such as 20250101-20251231: what the index lacks of them is indexed, once."
                />
            </CollapsiblePanel>
        </FormFrame>
    );
}
