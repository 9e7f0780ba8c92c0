"""The timetable: everything that is done by the clock. Every job finds by itself what is due."""

from jobs.answers import refresh_answers
from jobs.census import count_runs
from jobs.cleanup import cleanup
from jobs.context import Job, JobContext
from jobs.events import remind
from jobs.expiry import expire
from jobs.labels import relabel
from jobs.practice import ask_questions
from jobs.progress import tell_progress
from jobs.questions import climb
from jobs.retention import roll_up, turn_pages
from jobs.speech import prepare_speech
from jobs.tips import plan_tips

JOBS = (
    Job("progress", tell_progress, every=2),
    Job("expiry", expire, every=30),
    Job("census", count_runs, every=15, everywhere=True),
    Job("tips", plan_tips, every=60),
    Job("speech", prepare_speech, every=300, everywhere=True),
    Job("practice", ask_questions, every=60),
    Job("events", remind, every=60),
    Job("labels", relabel, every=60),
    Job("questions", climb, every=60),
    Job("answers", refresh_answers, every=5, everywhere=True),
    Job("retention", roll_up, every=60),
    Job("partitions", turn_pages, every=3600),
    Job("cleanup", cleanup, every=3600),
)

__all__ = ["JOBS", "Job", "JobContext"]
