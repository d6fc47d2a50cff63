// The dashboards setup.xml and ticket.xml are an empty panel each, in which a page is put as soon as Splunk Web has
// drawn it.
import { createRoot } from 'react-dom/client';
import { Frame } from './frame';
import { SetupPage } from './setup/SetupPage';
import { TicketPage } from './ticket/TicketPage';

const PAGES = { 'copydicom-setup': SetupPage, 'copydicom-ticket': TicketPage };

function mounted() {
    const place = Object.keys(PAGES)
        .map((id) => document.getElementById(id))
        .find(Boolean);
    if (!place) {
        return false;
    }
    const Page = PAGES[place.id];
    createRoot(place).render(
        <Frame place={place}>
            <Page />
        </Frame>,
    );
    return true;
}

if (!mounted()) {
    const watcher = new MutationObserver(() => mounted() && watcher.disconnect());
    watcher.observe(document.documentElement, { childList: true, subtree: true });
}
