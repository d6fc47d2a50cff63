"""What was met lately is known, in bounded memory."""

from __future__ import annotations

from copydicom_app.recent import Recent


def test_the_last_keys_are_kept_and_never_more_than_twice_as_many() -> None:
    recent: Recent[int, str] = Recent(10)
    for number in range(1_000):
        recent[number] = str(number)
        assert all(recent[key] == str(key) for key in range(max(0, number - 9), number + 1))
        assert len(recent) < 20
    assert 5 not in recent


def test_a_new_value_takes_the_place_of_the_old() -> None:
    recent: Recent[str, int] = Recent(2)
    for key in ("a", "b", "c"):
        recent[key] = 1
    recent["a"] = recent["c"] = 2
    assert (recent["a"], recent["b"], recent["c"], len(recent)) == (2, 1, 2, 3)
