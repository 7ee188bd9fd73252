import pytest

from mien.errors import MienError, MissingExtra, needs_extra


def test_a_missing_package_names_its_extra():
    with (
        pytest.raises(MissingExtra, match=r"^training needs torch; install it: pip install 'mien\[train\]'$") as caught,
        needs_extra("training", "train"),
    ):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")
    assert isinstance(caught.value, MienError)
    assert (caught.value.extra, caught.value.command) == ("train", "pip install 'mien[train]'")


def test_our_own_import_errors_are_not_hidden():
    with pytest.raises(ModuleNotFoundError), needs_extra("training", "train"):
        raise ModuleNotFoundError("No module named 'mien.train.lop'", name="mien.train.lop")
