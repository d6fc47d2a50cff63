// The app's navigation and the switch between light and dark.
export function Navigation({ view }) {
    const ink = view.theme === 'dark' ? '#d5d8db' : '#31373e';
    const link = (name, label) => (
        <a
            key={name}
            href={`/app/${view.app}/${name}?theme=${view.theme}`}
            style={{ color: ink, fontWeight: name === view.name ? 700 : 400, textDecoration: 'none' }}
        >
            {label}
        </a>
    );
    const other = view.theme === 'dark' ? 'light' : 'dark';
    return (
        <nav style={{ display: 'flex', gap: 20, padding: '10px 20px', font: '14px sans-serif' }}>
            {view.views.map((one) => link(one.name, one.label))}
            <a href={`?theme=${other}`} style={{ color: ink, marginLeft: 'auto' }}>
                {other}
            </a>
        </nav>
    );
}
