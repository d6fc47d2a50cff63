"""What was met lately, in bounded memory."""

from __future__ import annotations

from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Recent(Generic[_Key, _Value]):
    """A mapping that keeps the last `most` keys, and up to as many before them.

    Two dictionaries take turns: to take the oldest key out of one, again and again, makes Python look past
    all the places that became empty before.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._new: dict[_Key, _Value] = {}
        self._old: dict[_Key, _Value] = {}

    def __contains__(self, key: _Key) -> bool:
        return key in self._new or key in self._old

    def __getitem__(self, key: _Key) -> _Value:
        return self._new[key] if key in self._new else self._old[key]

    def get(self, key: _Key, default: _Value) -> _Value:
        """The value of a key that is kept, else the default."""
        return self._new[key] if key in self._new else self._old.get(key, default)

    def __setitem__(self, key: _Key, value: _Value) -> None:
        if key in self._old and key not in self._new:
            self._old[key] = value
            return
        self._new[key] = value
        if len(self._new) >= self._most:
            self._old, self._new = self._new, {}

    def __len__(self) -> int:
        return len(self._new) + len(self._old)
