"""Fires EventBridge Scheduler's schedules, which LocalStack only stores: those at a rate, or by cron, whose target is a function."""

import logging
import re
import time
from datetime import UTC, datetime

from crontab import CronTab

SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


def next_due(schedule, after):
    """The first time after `after` (seconds of the epoch) at which the schedule is due."""
    expression = schedule.schedule_expression
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        step, start = int(rate[1]) * SECONDS[rate[2]], schedule.creation_date
        return start + step * (int((after - start) // step) + 1)
    if cron := re.fullmatch(r"cron\((.+)\)", expression):
        return after + CronTab(cron[1].replace("?", "*")).next(datetime.fromtimestamp(after, UTC))
    return float("inf")


def fire(schedule, account, region):
    from localstack.aws.connect import connect_to

    function = connect_to(aws_access_key_id=account, region_name=region).lambda_
    target = schedule.target
    payload = target.get("Input") or "{}"
    function.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=payload)


def fire_when_due():
    from moto.scheduler.models import scheduler_backends

    last = time.time()
    while True:
        time.sleep(1)
        now = time.time()
        for account, regions in list(scheduler_backends.items()):
            for region, backend in list(regions.items()):
                for group in list(backend.schedule_groups.values()):
                    for schedule in list(group.schedules.values()):
                        due = next_due(schedule, max(last, schedule.creation_date))
                        if schedule.state != "ENABLED" or due > now:
                            continue
                        try:
                            fire(schedule, account, region)
                        except Exception:
                            logging.exception("schedule %s", schedule.arn)
        last = now
