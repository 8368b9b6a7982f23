"""Models judged on files of labelled texts, without a database: `manage.py evaluate`."""
