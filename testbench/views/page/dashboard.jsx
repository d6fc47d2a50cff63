// A definition in Splunk's view-only preset, and a record of what its data sources and drilldowns did.
import { useState } from 'react';
import { DashboardContextProvider } from '@splunk/dashboard-context';
import { DashboardCore } from '@splunk/dashboard-core';
import EnterpriseViewOnlyPreset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';
import { current } from './schema';

const SERVER_ZONE = { serializedTimezone: window.$C?.SERVER_ZONEINFO };

const STATES = {
    'datasource.setup': 'running',
    'datasource.progress': 'running',
    'datasource.done': 'done',
    'datasource.error': 'failed',
    'datasource.teardown': 'gone',
};

// Begin a new record, of the view that comes now. `sources`: by data source and its consumer (a panel, an input) the
// state, the fields and the columns that came last; `links`: the addresses that drilldowns asked for; `tokens`: their
// values now. The view before may still have something to say, but to its own record.
export function forget() {
    window.seen = { sources: {}, links: [], tokens: {} };
}

function recorder(seen) {
    return {
        onEventTrigger({ type, targetId, payload = {} }) {
            if (!(type in STATES) || !payload.consumerId) {
                return;
            }
            const source = ((seen.sources[targetId] ??= {})[payload.consumerId] ??= {});
            source.state = STATES[type];
            window.changed = performance.now();
            if (payload.data) {
                source.fields = payload.data.fields?.map((field) => field.name ?? field);
                source.columns = payload.data.columns;
            }
            source.message = payload.error?.message ?? payload.meta?.statusMessage ?? '';
        },
        onLinkToUrl({ url, newTab }) {
            seen.links.push({ url, newTab: Boolean(newTab) });
        },
    };
}

export function Dashboard({ view }) {
    const [seen] = useState(() => window.seen);
    const [plugin] = useState(() => recorder(seen));
    return (
        <DashboardContextProvider
            preset={EnterpriseViewOnlyPreset}
            initialDefinition={current(view.definition)}
            dashboardPlugin={plugin}
            timezone={SERVER_ZONE}
            dataSourceContext={{ owner: view.user, app: view.app }}
            onTokenBindingChange={(binding) => {
                seen.tokens = binding.default ?? binding;
            }}
        >
            <DashboardCore width="100%" height="auto" />
        </DashboardContextProvider>
    );
}
