"""The index that finds solved tickets by their words, within their source.

Building it takes about a minute for a million solved tickets, during which they can be read but
not written.
"""

from django.db import migrations

# Scripts that set no blanks between words, and what stands between words in all others: the same
# as in triage/learning/similarity.py, which the tests hold against this.
SPACELESS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
)
BETWEEN = (
    r"[][\s!-/:-@\\^_`{-~\u00a0-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7"
    r"\u05be\u060c\u061b\u061f\u06d4\u0964\u0965\u2000-\u206f\u20a0-\u20cf\u2116\u2122"
    r"\u2190-\u245f\u2500-\u2bff\u3000-\u3004\u3008-\u3020\u3030\u30fb\uff00-\uff0f\uff1a-\uff20"
    r"\uff3b-\uff40\uff5b-\uff65\U0001f000-\U0001faff]+"
)

# Immutable, so that it may be indexed: it names its configuration and all else is in pg_catalog.
# The prefix keeps sources apart: a query reads the words of its own source only. Of a script
# without blanks each two neighbours count as a word: those that begin at an even place of a run,
# then those at an odd one.
FUNCTION = f"""
CREATE FUNCTION triage_words(source bigint, subject text, body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000
RETURN (
    SELECT strip(to_tsvector('pg_catalog.simple'::regconfig, regexp_replace(
        CASE WHEN said ~ '[{SPACELESS}]' THEN
            regexp_replace(said, '([{SPACELESS}]{{1,2}})', ' \\1 ', 'g') || ' ' ||
            regexp_replace(
                regexp_replace(said, '(^|[^{SPACELESS}])[{SPACELESS}]', '\\1 ', 'g'),
                '([{SPACELESS}]{{1,2}})', ' \\1 ', 'g')
        ELSE said END,
        '{BETWEEN}', ' ' || source || 'x', 'g')))
    FROM (SELECT ' ' || lower(left(subject, 500) || ' ' || left(body, 10000)) AS said) AS ticket
)
"""
# Entries that wait to be sorted in would be read through for each word that is asked for.
INDEX = """
CREATE INDEX ticket_words ON triage_ticket USING gin (triage_words(source_id, subject, body))
WITH (fastupdate = off) WHERE closed_at IS NOT NULL
"""
# Statistics of it would be pieces of tickets that outlive them, and no plan would be another one.
NO_STATISTICS = "ALTER INDEX ticket_words ALTER COLUMN 1 SET STATISTICS 0"


class Migration(migrations.Migration):
    replaces = [("triage", "0011_words_of_solved_tickets")]
    dependencies = [("triage", "0001_squashed_0019")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION triage_words(bigint, text, text)"),
        migrations.RunSQL(INDEX, "DROP INDEX ticket_words"),
        migrations.RunSQL(NO_STATISTICS, migrations.RunSQL.noop),
    ]
