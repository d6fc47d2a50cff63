/* global GIGABYTES_PER_MILLION */
// How much an input will index: the counts of its server times what a million instances took in docs/scaling.md,
// measured over an assumed year's mix of modalities. A site's own may well take half or twice of that.

export function gigabytesPerMillion(level, tags) {
    return GIGABYTES_PER_MILLION[level]?.[tags] ?? null;
}

// {backlog, daily} in bytes; null for what cannot be told.
export function estimate(report, { level, tags }) {
    const each = gigabytesPerMillion(level, tags);
    if (!report?.ok || each === null) {
        return { backlog: null, daily: null };
    }
    const bytes = (instances) => instances * each * 1000; // GB a million is kB each
    const perStudy = report.studies > 0 ? report.instances / report.studies : null;
    const weekly = report.studies_last_week;
    return {
        backlog: bytes(report.instances),
        daily: perStudy !== null && weekly !== null ? bytes((weekly * perStudy) / 7) : null,
    };
}

export function asSize(bytes) {
    const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
    const at = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
    const value = bytes / 1000 ** at;
    return `${value < 10 && at > 0 ? value.toFixed(1) : Math.round(value).toLocaleString('en')} ${units[at]}`;
}
