// Splunk's own schema for a definition, and the words that Splunk's packages know: what a lint asks for.
import EnterpriseViewOnlyPreset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';
import { createSchemaBasedOnPresets } from '@splunk/dashboard-definition';
import { migrateToTabsLayout } from '@splunk/dashboard-utils';
import splSyntax from '@splunk/dashboard-utils/defaultSPLSyntax.json.js';
import { DashboardValidator } from '@splunk/dashboard-validation';
import { DataFrame } from '@splunk/visualization-encoding/DataFrame';
import { DataPoint } from '@splunk/visualization-encoding/DataPoint';
import { DataSeries } from '@splunk/visualization-encoding/DataSeries';
import { DslParser } from '@splunk/visualization-encoding/DslParser';
import { formatterClasses } from '@splunk/visualization-encoding/FormatterPresets';

// A flat `layout: {type, structure}` is what Splunk 9 writes; the schema knows only the tabs that it becomes.
export function current(definition) {
    const migrated = migrateToTabsLayout({ definition });
    if (!migrated.success) {
        throw new Error(`the layout cannot be read: ${migrated.reason}`);
    }
    return migrated.definition;
}

let validator;

// What Splunk's schema says against a definition, a line each.
export function problemsOf(definition) {
    if (!validator) {
        validator = new DashboardValidator();
        const refused = validator.setSchema(createSchemaBasedOnPresets(EnterpriseViewOnlyPreset));
        if (refused) {
            throw refused;
        }
    }
    const found = validator.validate(current(definition)) ?? [];
    return found.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params ?? {})}`);
}

// The names of options; a schema with `extend` has them in the alternatives below it.
const names = ({ extend, ...options }) => [...Object.keys(options), ...(extend ? alternatives(extend) : [])];
const alternatives = (schema) => [
    ...Object.keys(schema.properties ?? {}),
    ...[...(schema.anyOf ?? []), ...(schema.allOf ?? []), ...(schema.oneOf ?? [])].flatMap(alternatives),
];

// The kinds of parts with the names of their options; Splunk's dictionary of commands and functions.
export function vocabulary() {
    const options = (kind) =>
        Object.fromEntries(
            Object.entries(EnterpriseViewOnlyPreset[kind]).map(([type, part]) => [
                type,
                names(part.schema ?? part.config?.optionsSchema ?? {}),
            ]),
        );
    const commands = Object.entries(splSyntax)
        .filter(([name]) => name.endsWith('-command'))
        .map(([name, { args = [], functions = [] }]) => [
            name.slice(0, -'-command'.length),
            { options: args.map(({ key }) => key), functions: functions.map((one) => one.name) },
        ]);
    return {
        visualizations: options('visualizations'),
        inputs: options('inputs'),
        dataSources: Object.keys(EnterpriseViewOnlyPreset.dataSources),
        eventHandlers: Object.keys(EnterpriseViewOnlyPreset.eventHandlers),
        commands: Object.fromEntries(commands),
    };
}

const METHODS = new Set([
    ...[DataFrame, DataSeries, DataPoint].flatMap((kind) => Object.getOwnPropertyNames(kind.prototype)),
    ...Object.keys(formatterClasses),
]);

// What is wrong with `> primary | seriesByName("a")`: no such method, or a name of nothing. null when all is well.
export function expressionProblem(expression, names) {
    let steps;
    try {
        steps = DslParser.parse(expression.replace(/^\s*>/, ''));
    } catch (error) {
        return `it cannot be read: ${error.message.split('\n')[0]}`;
    }
    const unknown = ({ type, v }) => type === 'identifier' && !names.includes(v) && !v.startsWith('themes.');
    const [first, ...rest] = steps;
    if (unknown(first)) {
        return `there is no ${first.v}`;
    }
    for (const step of rest.concat(first.type === 'identifier' ? [] : [first])) {
        if (step.type === 'method' && !METHODS.has(step.name)) {
            return `there is no ${step.name}()`;
        }
        const argument = (step.args ?? []).find(unknown);
        if (argument) {
            return `there is no ${argument.v}`;
        }
    }
    return null;
}
