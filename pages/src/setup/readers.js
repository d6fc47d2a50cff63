// Who can search an index. Source: authorize.conf.spec: `*` stands for all but the internal indexes, which begin with
// an underscore; a role has the indexes of the roles it imports, and srchIndexesDisallowed takes away.

const escaped = (text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');

export function allows(pattern, index) {
    if (index.startsWith('_') && !pattern.startsWith('_')) {
        return false;
    }
    return new RegExp(`^${escaped(pattern).replace(/\*/g, '.*')}$`).test(index);
}

export function readersOf(index, roles) {
    const some = (patterns) => [patterns ?? []].flat().some((pattern) => allows(pattern, index));
    return roles
        .filter(
            (role) =>
                (some(role.srchIndexesAllowed) || some(role.imported_srchIndexesAllowed)) &&
                !some(role.srchIndexesDisallowed),
        )
        .map((role) => role.name)
        .sort();
}
