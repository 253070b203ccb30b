"""Fixtures of the scenario tests.

    stack      one running callmask for each file; its tests share it and take
               people of their own (stack.person())
    new_stack  makes a stack of one's own, to break: new_stack(WORKERS="1")
    unchanged  checks that a test changed nothing in the shared database

A stack is stopped after use, and its logs are searched for what must never be
in them (sanitizers' reports above all). Its folder stays if a test failed.

Settings: BIN_DIR, where the programs are (build/bin). With `-m sanitized` only
those tests run that are worth repeating with sanitized programs."""

import sys

import pytest

sys.dont_write_bytecode = True

import stack as stacks                                    # noqa: E402


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "sanitized: worth repeating with sanitized programs")


@pytest.fixture(scope="module")
def stack(request):
    """The stack that the tests of a file share."""
    failed = request.session.testsfailed
    made = stacks.Stack()
    yield made
    made.stop(keep=request.session.testsfailed > failed)


@pytest.fixture
def unchanged(stack):
    """Not a row of the shared stack has changed after the test."""
    stack.calm()
    before = stack.tables()
    yield
    assert stack.tables() == before


@pytest.fixture
def new_stack(request):
    """Makes stacks that live for one test."""
    failed = request.session.testsfailed
    made = []

    def make(*arguments, **settings):
        made.append(stacks.Stack(*arguments, **settings))
        return made[-1]

    yield make
    for each in made:
        each.stop(keep=request.session.testsfailed > failed)
