// What both pages stand in: Splunk's theme in the colours of the dashboard around, and a net for what should not happen.
import { Component } from 'react';
import Message from '@splunk/react-ui/Message';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import variables from '@splunk/themes/variables';
import styled from 'styled-components';

const Plain = styled.div`
    font-family: ${variables.fontFamily};
    font-size: ${variables.fontSize};
    line-height: ${variables.lineHeight};
    color: ${variables.contentColorDefault};
    max-width: 1100px;
    padding: 8px 4px 40px;

    section {
        margin-bottom: 32px;
    }

    h2 {
        margin: 12px 0;
    }

    h3 {
        margin: 16px 0 12px;
    }

    dl {
        margin: 8px 0 16px;
    }

    dl dt {
        color: ${variables.contentColorDefault}; /* theirs is too pale on the grey of a dashboard */
    }

    fieldset {
        border: 0;
        margin: 0;
        padding: 0;
        min-width: 0;
    }
`;

// Splunk Web has no word for its theme that holds in all releases, but its background is there.
export function colourScheme(place) {
    const asked = new URLSearchParams(window.location.search).get('theme');
    if (asked === 'dark' || asked === 'light') {
        return asked;
    }
    for (let one = place; one; one = one.parentElement) {
        const [red, green, blue, opacity = 1] = (getComputedStyle(one).backgroundColor.match(/[\d.]+/g) ?? []).map(
            Number,
        );
        if (blue !== undefined && opacity > 0.5) {
            return 0.3 * red + 0.59 * green + 0.11 * blue < 128 ? 'dark' : 'light';
        }
    }
    return 'light';
}

class Net extends Component {
    state = { failed: false };

    static getDerivedStateFromError() {
        return { failed: true };
    }

    render() {
        return this.state.failed ? (
            <Message type="error" role="alert">
                This page has failed, which is a fault of the app; please report it. Load it again to go on.
            </Message>
        ) : (
            this.props.children
        );
    }
}

export function Frame({ place, children }) {
    return (
        <SplunkThemeProvider family="enterprise" colorScheme={colourScheme(place)} density="comfortable">
            <Plain>
                <Net>{children}</Net>
            </Plain>
        </SplunkThemeProvider>
    );
}
