// Splunk's own schema for a definition, and the words that it knows.
import EnterpriseViewOnlyPreset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';
import { createSchemaBasedOnPresets } from '@splunk/dashboard-definition';
import { migrateToTabsLayout } from '@splunk/dashboard-utils';
import { DashboardValidator } from '@splunk/dashboard-validation';

// A flat `layout: {type, structure}` is what Splunk 9 writes; the schema knows only the tabs that it becomes.
export function current(definition) {
    const migrated = migrateToTabsLayout({ definition });
    if (!migrated.success) {
        throw new Error(`the layout cannot be read: ${migrated.reason}`);
    }
    return migrated.definition;
}

export function problemsOf(definition) {
    const validator = new DashboardValidator();
    const refused = validator.setSchema(createSchemaBasedOnPresets(EnterpriseViewOnlyPreset));
    if (refused) {
        throw refused;
    }
    return validator.validate(current(definition)) ?? [];
}

export function vocabulary() {
    const options = (kind) =>
        Object.fromEntries(
            Object.entries(EnterpriseViewOnlyPreset[kind]).map(([type, component]) => [
                type,
                component.schema ?? component.config?.optionsSchema ?? null,
            ]),
        );
    return {
        visualizations: options('visualizations'),
        inputs: options('inputs'),
        dataSources: options('dataSources'),
        eventHandlers: Object.keys(EnterpriseViewOnlyPreset.eventHandlers),
    };
}
