"""What a CI service says of the commit under test, read from its environment variables.

Each provider names other things: the target branch of a pull request, the commit that the author pushed, whether
the checkout is a merge made for the test. An empty variable counts as unset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PULL_MERGE = re.compile(r"refs/pull/\d+/merge")
MERGE_QUEUE = re.compile(r"refs/heads/gh-readonly-queue/(?P<target>.+)/pr-\d+-[0-9a-f]+")

SHORTEST_SHA = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class CiFacts:
    """What the environment says; everything unknown outside CI."""

    provider: str | None = None
    target_branch: str | None = None
    """The branch that the pull request is merged into; None outside pull requests."""
    pr_head: str | None = None
    """SHA (perhaps abbreviated) of the pull request's last commit."""
    pr_merge: bool = False
    """HEAD may be a merge that was made to test a pull request."""
    branch: str | None = None
    """The source branch."""
    pr_ref: str | None = None
    """Full name of a ref that holds the pull request's last commit."""
    merge_sha: str | None = None
    """SHA of the merge that was made for the test: another HEAD is not that merge."""
    base: str | None = None
    """SHA (perhaps abbreviated) on the target branch, of use where that branch is not fetched."""
    default_branch: str | None = None
    """The repository's default branch."""


def read_ci(environ: Mapping[str, str]) -> CiFacts:
    """The facts of the first CI service whose variables are set, else of none."""
    variables = {name: value.strip() for name, value in environ.items() if value.strip()}
    for signs, read in _PROVIDERS:
        if any(sign in variables for sign in signs):
            return read(variables)
    return CiFacts()


def without_ci(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that tell one CI service from another: for what is not its checkout."""
    signs = {sign for group, _ in _PROVIDERS for sign in group}
    return {name: value for name, value in environ.items() if name not in signs}


def pull_request_head(ci: CiFacts, head: str, parents: Sequence[str], ref: str | None) -> str | None:
    """The parent of HEAD that is the pull request's last commit; None where HEAD is a version of its own.

    `ref` is what `ci.pr_ref` points to, None where that is unknown. Providers that name the commit are taken at
    their word: Bitbucket and Jenkins merge the target branch into the pull request, the others the reverse.
    """
    if not ci.pr_merge or len(parents) != 2:
        return None
    if ci.pr_head or ci.pr_ref:
        named = [sha.lower() for sha in (ci.pr_head, ref) if sha and len(sha) >= SHORTEST_SHA]
        return next((parent for sha in named for parent in parents if parent.startswith(sha)), None)
    if ci.merge_sha and ci.merge_sha.lower() != head:
        return None
    return parents[1]


def _github(env: Mapping[str, str]) -> CiFacts:
    ref = env.get("GITHUB_REF", "")
    queue = MERGE_QUEUE.fullmatch(ref)
    merge = PULL_MERGE.fullmatch(ref) is not None
    return CiFacts(
        provider="github",
        target_branch=_branch(env.get("GITHUB_BASE_REF")) or (queue["target"] if queue else None),
        pr_merge=merge,
        merge_sha=env.get("GITHUB_SHA") if merge else None,
        branch=env.get("GITHUB_HEAD_REF") or _branch(ref if ref.startswith("refs/heads/") else None),
    )


def _gitlab(env: Mapping[str, str]) -> CiFacts:
    return CiFacts(
        provider="gitlab",
        target_branch=env.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
        or env.get("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME"),
        pr_head=env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
        pr_merge=env.get("CI_MERGE_REQUEST_EVENT_TYPE") in ("merged_result", "merge_train"),
        branch=env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
        or env.get("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME")
        or env.get("CI_COMMIT_BRANCH"),
        base=env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        default_branch=env.get("CI_DEFAULT_BRANCH"),
    )


def _bitbucket(env: Mapping[str, str]) -> CiFacts:
    branch = env.get("BITBUCKET_BRANCH")
    in_pull_request = "BITBUCKET_PR_ID" in env
    return CiFacts(
        provider="bitbucket",
        target_branch=env.get("BITBUCKET_PR_DESTINATION_BRANCH"),
        pr_head=env.get("BITBUCKET_COMMIT") if in_pull_request else None,
        pr_merge=in_pull_request,
        branch=branch,
        pr_ref=f"refs/remotes/origin/{branch}" if in_pull_request and branch else None,
        base=env.get("BITBUCKET_PR_DESTINATION_COMMIT"),
    )


def _azure(env: Mapping[str, str]) -> CiFacts:
    ref = env.get("BUILD_SOURCEBRANCH", "")
    return CiFacts(
        provider="azure",
        target_branch=_branch(env.get("SYSTEM_PULLREQUEST_TARGETBRANCH")),
        pr_head=env.get("SYSTEM_PULLREQUEST_SOURCECOMMITID"),
        pr_merge=PULL_MERGE.fullmatch(ref) is not None,
        branch=_branch(env.get("SYSTEM_PULLREQUEST_SOURCEBRANCH"))
        or _branch(ref if ref.startswith("refs/heads/") else None),
    )


def _jenkins(env: Mapping[str, str]) -> CiFacts:
    name = env.get("BRANCH_NAME")
    in_pull_request = "CHANGE_TARGET" in env
    # Branch sources fetch the pull request's own head into a remote branch of the job's name (PR-7), also where they
    # then check out a merge of it.
    return CiFacts(
        provider="jenkins",
        target_branch=env.get("CHANGE_TARGET"),
        pr_merge=in_pull_request and name is not None,
        branch=env.get("CHANGE_BRANCH") or (None if in_pull_request else name),
        pr_ref=f"refs/remotes/origin/{name}" if in_pull_request and name else None,
    )


def _branch(ref: str | None) -> str | None:
    return ref.removeprefix("refs/heads/") if ref else None


_PROVIDERS = (
    (("GITHUB_ACTIONS", "GITHUB_REF", "GITHUB_BASE_REF"), _github),
    (("GITLAB_CI", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"), _gitlab),
    (("BITBUCKET_BUILD_NUMBER", "BITBUCKET_COMMIT", "BITBUCKET_PR_DESTINATION_BRANCH"), _bitbucket),
    (("TF_BUILD", "BUILD_SOURCEBRANCH", "SYSTEM_PULLREQUEST_TARGETBRANCH"), _azure),
    (("JENKINS_URL", "CHANGE_TARGET"), _jenkins),
)
