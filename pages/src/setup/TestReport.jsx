// What a connection test found, for a person.
import DefinitionList from '@splunk/react-ui/DefinitionList';
import Message from '@splunk/react-ui/Message';
import { asSize } from './volume';

const TITLES = {
    tls: 'Its certificate is not trusted.',
    login: 'It refuses the login.',
    not_orthanc: 'This is not an Orthanc.',
    unreachable: 'It cannot be reached.',
    settings: 'A setting is wrong.',
};
const COUNTED = [
    ['patients', 'patient'],
    ['studies', 'study'],
    ['series', 'series'],
    ['instances', 'instance'],
];

// Milliseconds beyond the latency, which varies itself; below this nobody would notice.
const isSlow = ({ lookup_ms: lookup, latency_ms: latency }) => lookup - latency > 4 + latency / 2;

const counted = (count, many, one) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

function limits(report) {
    if (report.max_patients === null && report.max_megabytes === null) {
        return 'This version of Orthanc does not tell.';
    }
    const said = [
        report.max_patients ? `${report.max_patients.toLocaleString('en')} patients` : '',
        report.max_megabytes ? asSize(report.max_megabytes * 1e6) : '',
    ].filter(Boolean);
    return said.length ? `${said.join(', ')}; it deletes the oldest patients beyond that` : 'None: it keeps all.';
}

export function TestReport({ name, report }) {
    if (!report.ok) {
        return (
            <Message type="error" role="alert" data-test="test-report">
                <Message.Title>{TITLES[report.problem] ?? 'The test failed.'}</Message.Title>
                {report.message}
            </Message>
        );
    }
    const counts = COUNTED.map(([many, one]) => counted(report[many], many, one)).join(', ');
    const rows = [
        ['Version', `Orthanc ${report.version}${report.name ? `, ${report.name}` : ''}`],
        ['Answers in', `${report.latency_ms.toLocaleString('en')} ms`],
        ['Holds', `${counts}; ${asSize(report.bytes)}`],
        ['Last seven days', report.studies_last_week === null ? 'not told' : counted(report.studies_last_week, 'studies', 'study')],
        ['Limits', limits(report)],
    ];
    return (
        <div role="status" data-test="test-report">
            <Message type="success">{name} answers.</Message>
            {isSlow(report) && (
                <Message type="warning">
                    To look up one instance takes it {report.lookup_ms.toLocaleString('en')} ms. Orthanc 1.12 with SQLite
                    lacks an index, so that all it does with single images gets slower as the archive grows. One line of SQL
                    adds it: see “Orthanc 1.12 with SQLite” in docs/scaling.md of this app.
                </Message>
            )}
            <DefinitionList termWidth="140px">
                {rows.map(([term, description]) => [
                    <DefinitionList.Term key={term}>{term}</DefinitionList.Term>,
                    <DefinitionList.Description key={`${term} told`}>{description}</DefinitionList.Description>,
                ])}
            </DefinitionList>
        </div>
    );
}
