"""The workflows that `init --workflow` writes for GitHub Actions.

Actions are pinned by commit. No expression stands in a script: what comes from outside arrives as environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

FOLDER = ".github/workflows"

CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683  # v4.2.2"
PYTHON = "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065  # v5.6.0"
UPLOAD = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02  # v4.6.2"


def workflow_files(*, install: str, environment: str, state: str | None = None) -> Mapping[str, str]:
    """The three workflows by file name; `install` is what pip is told, `environment` names their comments.

    `state` is the URL of a shared state; without it the state is committed.
    """
    kept = _committed() if state is None else _shared(state)
    fixed = {"checkout": CHECKOUT, "upload": UPLOAD, "overtaken": _OVERTAKEN}
    filled = {**fixed, "install": _install(install), "environment": environment, **kept}
    return {
        "reconciler-plan.yml": _PLAN.format(**filled),
        "reconciler-apply.yml": _APPLY.format(**filled),
        "reconciler-collect.yml": _COLLECT.format(**filled),
    }


def _committed() -> Mapping[str, str]:
    """What the workflows say where the state is in git."""
    return {
        "newest": f"{_NEWEST}\n",
        "save": _SAVE.format(upload=UPLOAD),
        "contents": "write        # the state is committed",
        "variables": "",
        "secrets": "",
        "depth": "",
        "own": "",
        "forks": "",
        "needs": "It needs no secret: a plan is offline. On a pull request from a fork it stands in the summary "
        "of the run alone.",
    }


def _shared(state: str) -> Mapping[str, str]:
    """What they say where the state is in an object store."""
    names = _SECRETS[state.partition("://")[0]]
    return {
        "newest": "",
        "save": _UNSENT.format(upload=UPLOAD),
        "contents": "read",
        "variables": f"env:\n  RECONCILER_STATE: {json.dumps(state)}\n",
        "secrets": "".join(f"\n          {name}: ${{{{ secrets.{name} }}}}" for name in names),
        "depth": "\n          fetch-depth: 2",
        "own": "\n        if: github.event.pull_request.head.repo.full_name == github.repository",
        "forks": _FORKS,
        "needs": f"Its credentials need no more than to read {state}. A pull request from a fork has none:\n"
        "# its specs are compared with those before it, in the summary of the run.",
    }


_SECRETS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"),
    "gs": ("GOOGLE_SERVICE_ACCOUNT_KEY",),
    "az": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),
}


def _install(what: str) -> str:
    return f"""\
      - uses: {PYTHON}
        with:
          python-version: "3.12"
      - run: python -m pip install --quiet {what}"""


# The branch may have moved on: another run may have saved its state since this commit was made.
_NEWEST = """\
      - name: Take the newest state
        run: |
          git fetch --quiet origin "$GITHUB_REF_NAME"
          git update-ref refs/reconciler/newest FETCH_HEAD
          for file in state/encodes.json state/encodes.journal.jsonl; do
            if git cat-file -e "FETCH_HEAD:$file" 2> /dev/null; then
              git checkout --quiet FETCH_HEAD -- "$file"
            else
              rm -f -- "$file"
            fi
          done"""

# Only a run again can be older than what was applied: first runs wait for each other in the order of their commits.
_OVERTAKEN = """\
      # What was merged since would be undone, and paid for once more.
      - name: Refuse to run again what was overtaken
        if: github.run_attempt > 1
        run: |
          git fetch --quiet origin "$GITHUB_REF_NAME"
          if ! reconciler plan --base FETCH_HEAD --detailed-exitcode > /dev/null; then
            echo "::error::The branch wants something else by now: run its newest run again, or start one by hand"
            exit 1
          fi
"""

_SAVE = """\
      - name: Save the state, whatever happened
        if: always()
        run: |
          git config user.name "github-actions[bot]"
          git config user.email "41898282+github-actions[bot]@users.noreply.github.com"
          # Its commit follows the one that it was taken from, so that git knows what of it is new.
          keep=$(mktemp -d)
          mkdir -p state
          cp state/encodes.json state/encodes.journal.jsonl "$keep" 2> /dev/null || true
          if git rev-parse --verify --quiet refs/reconciler/newest > /dev/null; then
            git reset --quiet --hard refs/reconciler/newest
          fi
          for file in encodes.json encodes.journal.jsonl; do
            if [ -e "$keep/$file" ]; then cp "$keep/$file" "state/$file"; else rm -f "state/$file"; fi
            if [ -e "state/$file" ] || git ls-files --error-unmatch "state/$file" > /dev/null 2>&1; then
              git add --force --all -- "state/$file"
            fi
          done
          git diff --cached --quiet && exit 0
          git commit --quiet --message "State of the encodes"
          git config merge.reconciler-state.driver "reconciler state merge %O %A %B %P"
          for try in 1 2 3; do
            git pull --quiet --no-rebase --no-edit && git push --quiet && exit 0
            git merge --abort || true
            sleep 5
          done
          echo "::error::The state could not be pushed; it is on a branch of its own: merge that before the next apply"
          git push --quiet origin "HEAD:refs/heads/reconciler-state-$GITHUB_RUN_ID"
          exit 1
      - name: Keep a copy of the state beside the run
        if: always()
        uses: {upload}
        with:
          name: state
          path: state/encodes.json
          if-no-files-found: ignore"""

# What a runner recorded while its store was away: put back into state/shared/, the next apply brings it there.
_UNSENT = """\
      - name: Keep what could not be brought to the store
        if: always()
        uses: {upload}
        with:
          name: unsent
          path: |
            state/shared/*/base.json
            state/shared/*/journal.jsonl
            state/shared/*/kept.*.json
          if-no-files-found: ignore"""

# HEAD is what merging would give, so its first parent is the branch as it is.
_FORKS = """
      - name: Show what the specs of a fork change
        if: github.event.pull_request.head.repo.full_name != github.repository
        run: reconciler ci github plan --base HEAD^"""

_PLAN = """\
# Shows on every pull request what merging it would encode, and at what cost.
# {needs}
name: reconciler plan
on: pull_request
permissions:
  contents: read
  pull-requests: write
concurrency:
  group: reconciler-plan-${{{{ github.ref }}}}
  cancel-in-progress: true
{variables}jobs:
  plan:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: {checkout}
        with:
          persist-credentials: false{depth}
{install}
      - run: reconciler ci github plan --environment {environment} --out plan.json{own}
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}}{secrets}{forks}
      - uses: {upload}
        if: always()
        with:
          name: plan
          path: plan.json
          if-no-files-found: ignore
"""

_APPLY = """\
# Encodes what was approved by merging: the plan in the comment of the pull request, or what is left of it.
# Run the newest one again after a failure: it goes on, and nothing is paid twice.
# Start it by hand with the id of a plan that nobody could comment on, such as that of a pull request from a fork, or
# that stands in the refusal of a run: GitHub cancels a run that waits when a third one comes.
name: reconciler apply
on:
  push:
    branches: [main]
  workflow_dispatch:
    inputs:
      plan_id:
        description: The id of the plan that you approve
        required: true
permissions:
  contents: {contents}
  pull-requests: read    # the approved plan is read from the comment
concurrency:
  group: reconciler-state
  cancel-in-progress: false
{variables}jobs:
  apply:
    runs-on: ubuntu-24.04
    timeout-minutes: 350
    steps:
      - uses: {checkout}
        with:
          fetch-depth: 0
{install}
{overtaken}{newest}      - run: reconciler ci github mask
      - id: approved
        if: github.event_name == 'push'
        run: reconciler ci github approved --environment {environment}
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}}
      # exec: when a run is cancelled, only the first process of a step is told.
      - run: exec reconciler apply --expect "$PLAN_ID" --markdown "$GITHUB_STEP_SUMMARY"
        env:
          PLAN_ID: ${{{{ inputs.plan_id || steps.approved.outputs.plan_id }}}}
          BYTENITE_API_KEY: ${{{{ secrets.BYTENITE_API_KEY }}}}{secrets}
{save}
"""

_COLLECT = """\
# Does every six hours what is free: brings in finished jobs, renews links, saves what is about to expire.
name: reconciler collect
on:
  schedule:
    - cron: "17 */6 * * *"
  workflow_dispatch:
permissions:
  contents: {contents}
concurrency:
  group: reconciler-state
  cancel-in-progress: false
{variables}jobs:
  collect:
    runs-on: ubuntu-24.04
    timeout-minutes: 350
    steps:
      - uses: {checkout}
        with:
          fetch-depth: 0
{install}
{newest}      - run: reconciler ci github mask
      - run: exec reconciler apply --no-spend --markdown "$GITHUB_STEP_SUMMARY"
        env:
          BYTENITE_API_KEY: ${{{{ secrets.BYTENITE_API_KEY }}}}{secrets}
{save}
"""
