"""Every night at 02:30 UTC: the month that the day before was in. Month end is for a person: docs/runbook.md.

Copy to the DAGs folder of Airflow 3. The workers need `tieout` on their path, the project at
TIEOUT_CONFIG and, unless its `state` is a bucket, a disk that stays. Exit 75 is tried again; any other failure waits
for a person: 1 held, 2 wrong config, 70 a defect, and a retry would only repeat it.

Written after the source of the standard provider and compiled, but not run: no Airflow was at hand.
Before the first night: airflow dags test tieout_nightly
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

TIEOUT_CONFIG = "/etc/tieout/tieout.yaml"
TRY_AGAIN_LATER = 75


def verdict(exit_code: int) -> AirflowException | None:
    """What Airflow has to know of an exit code: nothing, try again, or wait for a person."""
    if exit_code == 0:
        return None
    if exit_code == TRY_AGAIN_LATER:
        return AirflowException("tieout: try again later (75)")
    return AirflowFailException(f"tieout ended with {exit_code}: see docs/runbook.md")


class TieoutOperator(BashOperator):
    """A BashOperator that is retried on exit 75 alone; BashOperator itself retries on every code."""

    def execute(self, context):
        result = self.subprocess_hook.run_command(
            command=["bash", "-c", self.bash_command], env=self.get_env(context)
        )
        failure = verdict(result.exit_code)
        if failure:
            raise failure
        return result.output


with DAG(
    dag_id="tieout_nightly",
    schedule="30 2 * * *",
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    # A night that was missed is not made up for: the next one reads everything that is there.
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    tags=["billing"],
) as dag:
    TieoutOperator(
        task_id="run",
        bash_command=f"exec tieout --config {TIEOUT_CONFIG} run --period"
        " {{ macros.ds_add(data_interval_end | ds, -1)[:7] }}",
        # From the connections or secrets backend in use; never written into the DAG.
        env={
            "TIEOUT_NOTIFY_URL": "{{ var.value.get('tieout_notify_url', '') }}",
            "TIEOUT_NOTIFY_SECRET": "{{ var.value.get('tieout_notify_secret', '') }}",
        },
        append_env=True,
        retries=6,
        retry_delay=timedelta(minutes=10),
    )
