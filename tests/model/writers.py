"""The steps of a writer through the service (`entities._write`, `engine.intend`, `engine.settle`)."""

from __future__ import annotations

from tests.model.rules import Rules, Steps, after_bound, applied, fills, is_covered
from tests.model.state import LIVE, NO_TOKEN, State, Writer, with_key, with_writer


def takes_lease(state: State, index: int, writer: Writer, rules: Rules) -> Steps:
    """Write-through, before its transaction, where nothing is cached."""
    early = writer.at == "idle" and rules.without != "the lease is taken before the commit"
    late = writer.at == "committed-first"
    if rules.write_through and (early or late) and state.heartbeat and state.key is None:
        leased = with_key(state, ("lease", 0))
        at = "committed" if late else "leased"
        yield "w: takes lease", with_writer(leased, index, Writer(at, writer.version, LIVE))
    elif late:
        yield "w: gets no lease", with_writer(state, index, Writer("committed", writer.version))


def deletes_first(state: State, index: int, writer: Writer, rules: Rules) -> Steps:
    if writer.at == "idle" and rules.without == "the cache is told after the commit":
        yield "w: deletes the key", with_writer(with_key(state, None), index, Writer("deleted"))


def commits(state: State, index: int, writer: Writer, rules: Rules) -> Steps:
    """The row, and by a trigger its change row, in one transaction."""
    if writer.at not in ("idle", "leased", "deleted"):
        return
    version = state.committed + 1
    at = "committed"
    if writer.at == "deleted":
        at = "told"
    elif rules.without == "the cache is told after the commit":
        return
    elif rules.without == "the lease is taken before the commit":
        at = "committed-first"
    done = state._replace(committed=version)
    yield f"w: commits v{version}", with_writer(done, index, Writer(at, version, writer.token))


def fills_under_lease(state: State, index: int, writer: Writer, rules: Rules) -> Steps:
    if writer.at == "committed" and writer.token & LIVE and fills(state, writer.token, writer.version, rules):
        filled = with_key(state, ("value", writer.version))
        yield f"w: fills v{writer.version}", with_writer(filled, index, Writer("told", writer.version))


def applies(state: State, index: int, writer: Writer, rules: Rules) -> Steps:
    """Without a lease; or its fill was refused, or lost. Cache-aside brings no body along."""
    if writer.at == "committed":
        told = with_key(state, applied(state.key, writer.version, with_body=rules.write_through, rules=rules))
        yield f"w: applies v{writer.version}", with_writer(told, index, Writer("told", writer.version))


def settles_without_cache(state: State, index: int, writer: Writer, rules: Rules) -> Steps:
    """Redis is out of reach: acknowledges once no heartbeat can be alive that does not know of the commit."""
    if writer.at != "committed":
        return
    version, told = writer.version, Writer("told", writer.version)
    if rules.without == "a lost apply is waited out":
        yield f"w: apply of v{version} is lost", with_writer(state, index, told)
    if is_covered(state, version):
        yield f"w: apply is lost, the ledger covers v{version}", with_writer(state, index, told)
    yield f"w: apply is lost, waits out B after v{version}", with_writer(after_bound(state, version), index, told)


def acknowledges(state: State, index: int, writer: Writer, _rules: Rules) -> Steps:
    if writer.at == "told":
        known = state._replace(floor=max(state.floor, writer.version))
        yield f"w: acknowledges v{writer.version}", with_writer(known, index, Writer("done"))


def crashes(state: State, index: int, writer: Writer, _rules: Rules) -> Steps:
    """Before or after the commit; whatever it holds in Redis stays there."""
    if writer.at in ("leased", "committed"):
        yield "w: crashes", with_writer(state, index, Writer("done", 0, NO_TOKEN))


STEPS = (
    takes_lease, deletes_first, commits, fills_under_lease, applies, settles_without_cache, acknowledges, crashes,
)  # fmt: skip
