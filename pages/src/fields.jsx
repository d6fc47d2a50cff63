// Fields of a form: a label that screen readers know, help, an error; each tells its name and new value to `change`.
import ControlGroup from '@splunk/react-ui/ControlGroup';
import RadioList from '@splunk/react-ui/RadioList';
import Select from '@splunk/react-ui/Select';
import Switch from '@splunk/react-ui/Switch';
import Text from '@splunk/react-ui/Text';

const WIDTH = 170;

export function TextField({ name, label, help, error, values, change, required, ...more }) {
    return (
        <ControlGroup label={label} help={help} error={error} required={required} labelWidth={WIDTH}>
            <Text
                name={name}
                value={values[name] ?? ''}
                onChange={(event, { value }) => change(name, value)}
                error={Boolean(error)}
                spellCheck={false}
                {...more}
            />
        </ControlGroup>
    );
}

export function SwitchField({ name, label, help, values, change }) {
    return (
        <ControlGroup label={label} help={help} labelWidth={WIDTH} controlsLayout="none">
            <Switch
                appearance="toggle"
                value={name}
                selected={Boolean(values[name])}
                onClick={() => change(name, !values[name])}
                selectedLabel="On"
                unselectedLabel="Off"
            />
        </ControlGroup>
    );
}

// `options`: [[value, what it is called, what that means], ...]
export function RadioField({ name, label, help, error, values, change, options, required }) {
    return (
        <ControlGroup label={label} help={help} error={error} required={required} labelWidth={WIDTH}>
            <RadioList
                name={name}
                value={values[name] ?? ''}
                onChange={(event, { value }) => change(name, value)}
                error={Boolean(error)}
            >
                {options.map(([value, title, meaning]) => (
                    <RadioList.Option key={value} value={value} description={meaning}>
                        {title}
                    </RadioList.Option>
                ))}
            </RadioList>
        </ControlGroup>
    );
}

export function SelectField({ name, label, help, error, values, change, options, required }) {
    return (
        <ControlGroup label={label} help={help} error={error} required={required} labelWidth={WIDTH}>
            <Select
                name={name}
                value={values[name] ?? ''}
                onChange={(event, { value }) => change(name, value)}
                error={Boolean(error)}
            >
                {options.map((value) => (
                    <Select.Option key={value} label={value} value={value} />
                ))}
            </Select>
        </ControlGroup>
    );
}
