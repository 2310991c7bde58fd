"""Which of the errors in nested groups is told."""

from glue.errors import Refused, TooSlow, Unreachable, first, leaves


def test_of_groups_in_groups_the_first_error_is_told_however_deep_it_lies() -> None:
    cause, others = Unreachable("chat", "it hung up"), [TooSlow("chat", "no ping"), Refused("chat", "closed")]
    deep = ExceptionGroup("", [ExceptionGroup("", [ExceptionGroup("", [cause]), others[0]]), others[1]])
    assert first(deep) is cause
    assert leaves(deep) == [cause, *others]
