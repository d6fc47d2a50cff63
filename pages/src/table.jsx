// A table with a name for screen readers and a row of heads; its children are rows.
import SimpleTable from '@splunk/react-ui/SimpleTable';

export const { Row, Cell } = SimpleTable;

// Buttons beside each other.
export const Actions = ({ children }) => <Cell style={{ whiteSpace: 'nowrap' }}>{children}</Cell>;

export function Listed({ label, heads, children }) {
    return (
        <SimpleTable aria-label={label}>
            <SimpleTable.Head>
                <SimpleTable.Row>
                    {heads.map((title) => (
                        <SimpleTable.HeadCell key={title}>{title}</SimpleTable.HeadCell>
                    ))}
                </SimpleTable.Row>
            </SimpleTable.Head>
            <SimpleTable.Body>{children}</SimpleTable.Body>
        </SimpleTable>
    );
}
