from __future__ import annotations

import pytest

from pytest_genaiver.core.ci import CiFacts, pull_request_head, read_ci, without_ci

HEAD = "a" * 40
FIRST = "b" * 40
SECOND = "c" * 40

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": HEAD}
AZURE = {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/pull/7/merge"}


def test_outside_ci_nothing_is_known() -> None:
    assert read_ci({"PATH": "/bin", "GITHUB_REF": " ", "CHANGE_TARGET": ""}) == CiFacts()


@pytest.mark.parametrize(
    ("environ", "facts"),
    [
        pytest.param(
            {**GITHUB, "GITHUB_REF": "refs/pull/7/merge", "GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": "topic"},
            CiFacts(provider="github", target_branch="main", branch="topic", pr_merge=True, merge_sha=HEAD),
            id="github pull request",
        ),
        pytest.param(
            {**GITHUB, "GITHUB_REF": "refs/heads/main", "GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": "topic"},
            CiFacts(provider="github", target_branch="main", branch="topic"),
            id="github pull_request_target",
        ),
        pytest.param(
            {**GITHUB, "GITHUB_REF": "refs/heads/feature/x", "GITHUB_BASE_REF": ""},
            CiFacts(provider="github", branch="feature/x"),
            id="github push",
        ),
        pytest.param(
            {**GITHUB, "GITHUB_REF": "refs/heads/gh-readonly-queue/release/1/pr-7-" + FIRST},
            CiFacts(provider="github", target_branch="release/1", branch="gh-readonly-queue/release/1/pr-7-" + FIRST),
            id="github merge queue",
        ),
        pytest.param({"GITHUB_REF": "refs/tags/v1"}, CiFacts(provider="github"), id="github tag"),
        pytest.param(
            {
                "GITLAB_CI": "true",
                "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result",
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": SECOND,
                "CI_MERGE_REQUEST_DIFF_BASE_SHA": FIRST,
                "CI_DEFAULT_BRANCH": "trunk",
            },
            CiFacts(
                provider="gitlab",
                target_branch="main",
                pr_head=SECOND,
                pr_merge=True,
                branch="topic",
                base=FIRST,
                default_branch="trunk",
            ),
            id="gitlab merged results",
        ),
        pytest.param(
            {"GITLAB_CI": "true", "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"},
            CiFacts(provider="gitlab", pr_merge=True),
            id="gitlab merge train",
        ),
        pytest.param(
            {
                "GITLAB_CI": "true",
                "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
            },
            CiFacts(provider="gitlab", target_branch="main"),
            id="gitlab detached merge request",
        ),
        pytest.param(
            {"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "topic"},
            CiFacts(provider="gitlab", branch="topic"),
            id="gitlab push",
        ),
        pytest.param(
            {
                "GITLAB_CI": "true",
                "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME": "topic",
            },
            CiFacts(provider="gitlab", target_branch="main", branch="topic"),
            id="gitlab external pull request",
        ),
        pytest.param(
            {
                "BITBUCKET_BUILD_NUMBER": "3",
                "BITBUCKET_PR_ID": "7",
                "BITBUCKET_BRANCH": "topic",
                "BITBUCKET_COMMIT": FIRST[:12],
                "BITBUCKET_PR_DESTINATION_BRANCH": "main",
                "BITBUCKET_PR_DESTINATION_COMMIT": SECOND[:12],
            },
            CiFacts(
                provider="bitbucket",
                target_branch="main",
                pr_head=FIRST[:12],
                pr_merge=True,
                branch="topic",
                pr_ref="refs/remotes/origin/topic",
                base=SECOND[:12],
            ),
            id="bitbucket pull request",
        ),
        pytest.param(
            {"BITBUCKET_COMMIT": FIRST, "BITBUCKET_BRANCH": "topic"},
            CiFacts(provider="bitbucket", branch="topic"),
            id="bitbucket push",
        ),
        pytest.param(
            {
                **AZURE,
                "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/release/1",
                "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/topic",
                "SYSTEM_PULLREQUEST_SOURCECOMMITID": SECOND,
            },
            CiFacts(provider="azure", target_branch="release/1", pr_head=SECOND, pr_merge=True, branch="topic"),
            id="azure pull request",
        ),
        pytest.param(
            {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/topic"},
            CiFacts(provider="azure", branch="topic"),
            id="azure push",
        ),
        pytest.param(
            {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/tags/v1"}, CiFacts(provider="azure"), id="azure tag"
        ),
        pytest.param(
            {
                "JENKINS_URL": "http://jenkins/",
                "BRANCH_NAME": "PR-7",
                "CHANGE_TARGET": "main",
                "CHANGE_BRANCH": "topic",
            },
            CiFacts(
                provider="jenkins",
                target_branch="main",
                pr_merge=True,
                branch="topic",
                pr_ref="refs/remotes/origin/PR-7",
            ),
            id="jenkins pull request",
        ),
        pytest.param(
            {"CHANGE_TARGET": "main"}, CiFacts(provider="jenkins", target_branch="main"), id="jenkins, target only"
        ),
        pytest.param(
            {"JENKINS_URL": "http://jenkins/", "BRANCH_NAME": "topic"},
            CiFacts(provider="jenkins", branch="topic"),
            id="jenkins branch",
        ),
    ],
)
def test_each_provider_is_read_by_its_own_variables(environ: dict[str, str], facts: CiFacts) -> None:
    assert read_ci(environ) == facts


@pytest.mark.parametrize(
    ("facts", "ref", "head"),
    [
        pytest.param(CiFacts(), None, None, id="not a pull request"),
        pytest.param(CiFacts(pr_merge=True), None, SECOND, id="second parent where nothing is named"),
        pytest.param(CiFacts(pr_merge=True, merge_sha=HEAD.upper()), None, SECOND, id="HEAD is the named merge"),
        pytest.param(CiFacts(pr_merge=True, merge_sha=FIRST), None, None, id="another merge is checked out"),
        pytest.param(CiFacts(pr_merge=True, pr_head=FIRST[:12].upper()), None, FIRST, id="named, abbreviated"),
        pytest.param(CiFacts(pr_merge=True, pr_head="b"), None, None, id="too short to name a commit"),
        pytest.param(CiFacts(pr_merge=True, pr_head="d" * 40), None, None, id="named, no parent"),
        pytest.param(CiFacts(pr_merge=True, pr_head=HEAD), None, None, id="HEAD itself is the pull request's head"),
        pytest.param(CiFacts(pr_merge=True, pr_head=HEAD, pr_ref="refs/x"), FIRST, FIRST, id="named by a ref"),
        pytest.param(CiFacts(pr_merge=True, pr_ref="refs/x"), None, None, id="named by a ref that is missing"),
    ],
)
def test_the_head_of_a_pull_request_is_the_parent_that_ci_names(
    facts: CiFacts, ref: str | None, head: str | None
) -> None:
    assert pull_request_head(facts, HEAD, (FIRST, SECOND), ref) == head


@pytest.mark.parametrize("parents", [(), (FIRST,), (FIRST, SECOND, "d" * 40)])
def test_only_a_merge_of_two_tests_a_pull_request(parents: tuple[str, ...]) -> None:
    assert pull_request_head(CiFacts(pr_merge=True), HEAD, parents, None) is None


@pytest.mark.parametrize(
    "environ",
    [
        {**GITHUB, "GITHUB_REF": "refs/pull/7/merge", "GITHUB_BASE_REF": "main"},
        {"GITLAB_CI": "true", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"},
        {"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_COMMIT": HEAD, "BITBUCKET_PR_DESTINATION_BRANCH": "main"},
        AZURE,
        {"JENKINS_URL": "http://x", "CHANGE_TARGET": "main", "BRANCH_NAME": "PR-7"},
    ],
)
def test_without_its_signs_no_service_is_known(environ: dict[str, str]) -> None:
    assert read_ci(environ) != CiFacts()
    assert read_ci(without_ci({**environ, "PATH": "/bin"})) == CiFacts()
    assert without_ci({"PATH": "/bin"}) == {"PATH": "/bin"}
