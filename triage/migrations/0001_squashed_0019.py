"""All tables in one step: a new database builds them in seconds, an older one passes as it is.

Models stand in the order in which they refer to one another, so that none is built twice.
"""

import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import triage.models.catalogue
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('triage', '0001_initial'),
        ('triage', '0002_leases_with_tokens'),
        ('triage', '0003_erasure'),
        ('triage', '0004_find_deliveries_among_many'),
        ('triage', '0005_effect_based_on_version'),
        ('triage', '0006_no_index_twice'),
        ('triage', '0007_training_runs'),
        ('triage', '0008_shadow_and_drift'),
        ('triage', '0009_abstention'),
        ('triage', '0010_text_vectors'),
        ('triage', '0012_cockpit'),
        ('triage', '0013_queue'),
        ('triage', '0014_answer_first'),
        ('triage', '0015_news'),
        ('triage', '0016_counted_days'),
        ('triage', '0017_times_at_work'),
        ('triage', '0018_counted_rows'),
        ('triage', '0019_second_share'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sources', to=settings.AUTH_USER_MODEL)),
                ('helpdesk', models.CharField(default='generic', help_text='Which dialect the helpdesk speaks; generic is the documented JSON shape.', max_length=20)),
                ('api_url', models.URLField(blank=True, help_text='Where decisions are written back; empty means they are not.')),
                ('allows_private_addresses', models.BooleanField(default=False, help_text='Allow write-back to private networks. Off unless the helpdesk is in-house.')),
                ('is_active', models.BooleanField(default=True, help_text='Off: deliveries are refused with 404.')),
                ('deliveries_per_minute', models.PositiveIntegerField(default=6000, help_text='Above this, deliveries are answered 429 with Retry-After.')),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('work_starts', models.TimeField(default=datetime.time(8, 0))),
                ('work_ends', models.TimeField(default=datetime.time(18, 0))),
                ('work_days', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), default=triage.models.catalogue.weekdays, help_text='0 is Monday.', size=None)),
                ('blind_share', models.FloatField(default=0.05, help_text='0 to 1. Share of proposals that a person answers before the advice is shown.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)])),
                ('second_share', models.FloatField(default=0.2, help_text='0 to 1. Share of those that a second person answers as well, unseen.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)])),
                ('embed_origins', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, help_text='Origins that may show the review panel in a frame: https://desk.example.org', size=None)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('blind_share__range', (0, 1))), name='source_blind_share_0_to_1'), models.CheckConstraint(condition=models.Q(('second_share__range', (0, 1))), name='source_second_share_0_to_1')],
            },
        ),
        migrations.CreateModel(
            name='SourceSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='triage.source')),
                ('purpose', models.CharField(choices=[('inbound', 'signs webhooks we receive'), ('outbound', 'token for writing back'), ('automation', 'signs playbook calls')], max_length=12)),
                ('sealed', models.TextField(editable=False)),
                ('hint', models.CharField(editable=False, help_text='The last four characters.', max_length=8)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('retired_at__isnull', True)), fields=['source', 'purpose'], name='secret_live')],
            },
        ),
        migrations.CreateModel(
            name='Field',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='fields', to='triage.source')),
                ('key', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9_.-]*$', 'Lower-case letters, digits, dots, dashes, underscores; a letter or digit comes first.')])),
                ('name', models.CharField(max_length=80)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('is_ordered', models.BooleanField(default=False, help_text='Choices have a rank, as priorities do; rules can raise them.')),
                ('is_main', models.BooleanField(default=False, help_text='The field that workflows and reports are grouped by: category.')),
                ('propose_from', models.FloatField(default=0.2, help_text='0 to 1. A model less sure than this proposes nothing: a person chooses.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)])),
                ('scope_from', models.FloatField(default=0.01, help_text='0 to 1. The share of the tickets a model learnt from that look stranger than this one. Below it, nothing is proposed, however sure the model is.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)])),
                ('settle_from', models.FloatField(default=0.5, help_text='0 to 1. A choice less sure than this gives way to its parent, if the choices below that add up to it. 0: never.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)])),
            ],
            options={
                'ordering': ['source', 'position', 'key'],
                'constraints': [models.CheckConstraint(condition=models.Q(('propose_from__range', (0, 1)), ('scope_from__range', (0, 1)), ('settle_from__range', (0, 1))), name='field_thresholds_0_to_1'), models.UniqueConstraint(fields=('source', 'key'), name='field_key_once_per_source'), models.UniqueConstraint(condition=models.Q(('is_main', True)), fields=('source',), name='one_main_field_per_source')],
            },
        ),
        migrations.CreateModel(
            name='Choice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='choices', to='triage.field')),
                ('key', models.CharField(help_text='The value as the helpdesk knows it.', max_length=120)),
                ('name', models.CharField(max_length=160)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='triage.choice')),
                ('description', models.TextField(blank=True)),
                ('synonyms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), blank=True, default=list, size=None)),
                ('rank', models.PositiveSmallIntegerField(default=0, help_text='Higher is more pressing.')),
                ('target_minutes', models.PositiveIntegerField(blank=True, help_text='Of a priority: a person should have looked this long after the ticket was opened. Empty: by its rank, from eight hours for the lowest to a quarter of one.', null=True)),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
                ('implies', models.ManyToManyField(blank=True, help_text='Choices of other fields that follow from this one: the team of a category.', related_name='implied_by', to='triage.choice')),
            ],
            options={
                'ordering': ['field', '-rank', 'name'],
                'constraints': [models.UniqueConstraint(fields=('field', 'key'), name='choice_key_once_per_field')],
            },
        ),
        migrations.CreateModel(
            name='Touched',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.source')),
                ('at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name_plural': 'touched days',
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='triage.source')),
                ('webhook_id', models.CharField(max_length=64)),
                ('body', models.BinaryField()),
                ('body_sha256', models.CharField(max_length=64)),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('outcome', models.CharField(blank=True, choices=[('applied', 'changed a ticket'), ('stale', 'older than what we have'), ('repeated', 'said nothing new'), ('echo', 'caused by our own write'), ('refused', 'could not be read')], help_text='Empty until a worker has read it.', max_length=10)),
                ('explanation', models.CharField(blank=True, max_length=300)),
                ('erased_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'indexes': [models.Index(fields=['-received_at'], name='delivery_recent'), models.Index(fields=['source', '-received_at'], name='delivery_of_source'), models.Index(condition=models.Q(('outcome__in', ['', 'applied']), _negated=True), fields=['outcome', '-received_at'], name='delivery_notable')],
                'constraints': [models.UniqueConstraint(fields=('source', 'webhook_id'), name='webhook_id_once_per_source'), models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), ('body', b''), _connector='OR'), name='erased_delivery_is_empty')],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='triage.source')),
                ('external_id', models.CharField(max_length=64)),
                ('version', models.BigIntegerField(help_text="The helpdesk's own counter; higher is newer.")),
                ('subject', models.CharField(max_length=300)),
                ('body', models.TextField(blank=True)),
                ('requester', models.CharField(blank=True, help_text='Mail address or login.', max_length=254)),
                ('requester_name', models.CharField(blank=True, max_length=160)),
                ('url', models.URLField(blank=True, max_length=500)),
                ('values', models.JSONField(default=dict, help_text='Field key to choice key in the helpdesk now.')),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('reopened_count', models.PositiveIntegerField(default=0)),
                ('resolution', models.TextField(blank=True, help_text='What a technician noted when solving it.')),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('erased_at', models.DateTimeField(blank=True, null=True)),
                ('search', models.GeneratedField(db_persist=True, expression=django.contrib.postgres.search.SearchVector(models.F('subject'), django.db.models.functions.text.Left(models.F('body'), 20000), config='simple'), output_field=django.contrib.postgres.search.SearchVectorField())),
            ],
            options={
                'permissions': [('erase_ticket', 'Can erase what a requester wrote')],
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['search'], name='ticket_search'), models.Index(fields=['source', '-opened_at'], name='ticket_recent'), models.Index(fields=['-opened_at', '-id'], name='ticket_newest'), models.Index(fields=['source', 'requester', '-opened_at'], name='ticket_by_requester'), models.Index(condition=models.Q(('closed_at__isnull', False)), fields=['source', '-closed_at'], name='ticket_solved')],
                'constraints': [models.UniqueConstraint(fields=('source', 'external_id'), name='ticket_once_per_source'), models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), models.Q(('body', ''), ('requester', ''), ('requester_name', ''), ('resolution', ''), ('subject', ''), ('url', '')), _connector='OR'), name='erased_ticket_has_no_words')],
            },
        ),
        migrations.CreateModel(
            name='TicketVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='triage.ticket')),
                ('version', models.BigIntegerField()),
                ('subject', models.CharField(max_length=300)),
                ('body', models.TextField(blank=True)),
                ('values', models.JSONField(default=dict)),
                ('delivery', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='triage.delivery')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ticket', 'version'), name='version_once_per_ticket')],
            },
        ),
        migrations.CreateModel(
            name='TicketEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='triage.ticket')),
                ('key', models.CharField(help_text="The helpdesk's id of the event.", max_length=64)),
                ('kind', models.CharField(choices=[('reassigned', 'reassigned'), ('recategorised', 'recategorised'), ('escalated', 'escalated'), ('started', 'work started'), ('paused', 'waiting within the helpdesk'), ('awaiting', 'waiting for the requester'), ('resolved', 'resolved'), ('reopened', 'reopened'), ('closed', 'closed'), ('rated', 'rated'), ('commented', 'commented')], max_length=14)),
                ('happened_at', models.DateTimeField()),
                ('choice', models.ForeignKey(blank=True, help_text='The new team or category.', null=True, on_delete=django.db.models.deletion.PROTECT, to='triage.choice')),
                ('score', models.SmallIntegerField(blank=True, help_text='1 (bad) to 5 (good).', null=True)),
                ('delivery', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='triage.delivery')),
            ],
            options={
                'ordering': ['happened_at', 'pk'],
                'indexes': [models.Index(fields=['ticket', 'happened_at'], name='event_order')],
                'constraints': [models.UniqueConstraint(fields=('ticket', 'key'), name='event_once_per_ticket'), models.CheckConstraint(condition=models.Q(('score__isnull', True), ('score__range', (1, 5)), _connector='OR'), name='score_1_to_5')],
            },
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='model_versions', to='triage.field')),
                ('number', models.PositiveIntegerField()),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('state', models.CharField(choices=[('candidate', 'candidate'), ('shadow', 'shadow'), ('champion', 'champion'), ('retired', 'retired')], default='candidate', max_length=10)),
                ('artefact', models.CharField(help_text='File name in the model directory.', max_length=200)),
                ('sha256', models.CharField(max_length=64)),
                ('evidence', models.JSONField(default=dict, help_text='Held-out figures, by name.')),
                ('choices', models.JSONField(default=list, help_text='Choice keys it can answer.')),
                ('label_count', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('promoted_at', models.DateTimeField(blank=True, null=True)),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['field', '-number'],
                'constraints': [models.UniqueConstraint(fields=('field', 'number'), name='number_once_per_field'), models.UniqueConstraint(condition=models.Q(('state', 'champion')), fields=('field',), name='one_champion_per_field')],
            },
        ),
        migrations.CreateModel(
            name='TextVector',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text_sha256', models.BinaryField(max_length=32)),
                ('encoder', models.CharField(help_text='SHA-256 of the model file.', max_length=64)),
                ('vector', models.BinaryField(help_text='Half-precision numbers, little-endian.')),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('text_sha256', 'encoder'), name='vector_once_per_text')],
            },
        ),
        migrations.CreateModel(
            name='Prediction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticket_version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='predictions', to='triage.ticketversion')),
                ('model_version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='predictions', to='triage.modelversion')),
                ('probabilities', models.JSONField(help_text='Choice key to probability, the ten highest.')),
                ('in_scope', models.FloatField(help_text='0 (unlike anything learnt) to 1 (typical).')),
                ('tier', models.PositiveSmallIntegerField(default=1, help_text='1: the fast linear model alone; 2: with sentence vectors beside it.')),
                ('words_for', models.JSONField(default=list)),
                ('words_against', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(fields=['model_version', 'created_at'], name='prediction_by_time')],
                'constraints': [models.UniqueConstraint(fields=('ticket_version', 'model_version'), name='predicted_once_per_version')],
            },
        ),
        migrations.CreateModel(
            name='Label',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='triage.ticket')),
                ('field', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='triage.field')),
                ('choice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='triage.choice')),
                ('origin', models.CharField(choices=[('history', 'imported history'), ('decision', "a person's decision"), ('spot_check', 'blind spot check'), ('outcome', 'what happened later')], max_length=10)),
                ('propensity', models.FloatField(blank=True, help_text='Probability at which the check was drawn; checks only.', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(fields=['field', 'choice'], name='label_by_choice'), models.Index(fields=['field', 'created_at'], name='label_by_time'), models.Index(condition=models.Q(('origin', 'spot_check')), fields=['field', '-created_at'], name='label_of_check')],
                'constraints': [models.UniqueConstraint(fields=('ticket', 'field', 'origin'), name='label_once_per_origin'), models.CheckConstraint(condition=models.Q(('propensity__isnull', True), models.Q(('propensity__gt', 0), ('propensity__lte', 1)), _connector='OR'), name='propensity_in_0_1')],
            },
        ),
        migrations.CreateModel(
            name='DriftReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_version', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='drift_reference', to='triage.modelversion')),
                ('predictions', models.PositiveIntegerField()),
                ('until', models.DateTimeField(help_text='The last moment that it speaks of.')),
                ('figures', models.JSONField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='DriftReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='drift_reports', to='triage.modelversion')),
                ('day', models.DateField()),
                ('predictions', models.PositiveIntegerField(help_text='Looked at: of that day, or up to it.')),
                ('checks', models.PositiveIntegerField(help_text='Blind checks that calibration rests on.')),
                ('figures', models.JSONField(default=dict)),
                ('made_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['model_version', '-day'],
                'constraints': [models.UniqueConstraint(fields=('model_version', 'day'), name='drift_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='DriftFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='drift_findings', to='triage.modelversion')),
                ('kind', models.CharField(choices=[('inputs', 'inputs'), ('predictions', 'predictions'), ('out_of_scope', 'out of scope'), ('calibration', 'calibration')], max_length=12)),
                ('is_grave', models.BooleanField(default=False)),
                ('said', models.CharField(help_text='The figures of the newest day with it.', max_length=300)),
                ('since', models.DateField()),
                ('until', models.DateField(blank=True, help_text='The first day without it.', null=True)),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-since', '-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('until__isnull', True)), fields=('model_version', 'kind'), name='one_open_finding_a_kind'), models.UniqueConstraint(fields=('model_version', 'kind', 'since'), name='finding_once_since')],
            },
        ),
        migrations.CreateModel(
            name='RetrainingProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='retraining', to='triage.field')),
                ('model_version', models.ForeignKey(help_text='In service at the time.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.modelversion')),
                ('new_labels', models.PositiveIntegerField()),
                ('reasons', models.JSONField(default=list, help_text='Sentences of figures.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('closed_because', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['-created_at'],
                'indexes': [models.Index(fields=['field', '-created_at'], name='retraining_of_field')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('field',), name='one_open_retraining_per_field')],
            },
        ),
        migrations.CreateModel(
            name='EscalationRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='triage.source')),
                ('name', models.CharField(max_length=120)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Lower is asked first.')),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['source', 'position', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('source', 'name'), name='rule_name_once_per_source')],
            },
        ),
        migrations.CreateModel(
            name='Playbook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='playbooks', to='triage.source')),
                ('name', models.CharField(max_length=120)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('words', models.JSONField(blank=True, default=list, help_text='Offered only if the ticket has one of these words; empty: for every ticket.')),
                ('reply', models.TextField(help_text='Placeholders: {requester_name} {subject} {external_id} {category} {source}.')),
                ('action_url', models.URLField(blank=True, help_text='Called with a signed POST on accept.')),
                ('is_reversible', models.BooleanField(default=True)),
                ('follow_up', models.CharField(choices=[('resolved', 'resolve the ticket'), ('pending', 'wait for the requester'), ('open', 'leave it open')], default='resolved', max_length=8)),
                ('is_active', models.BooleanField(default=True)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('for_choices', models.ManyToManyField(related_name='playbooks', to='triage.choice')),
            ],
            options={
                'ordering': ['source', 'position', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('source', 'name'), name='playbook_name_once')],
            },
        ),
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='proposals', to='triage.ticket')),
                ('ticket_version', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='proposal', to='triage.ticketversion')),
                ('route', models.CharField(choices=[('review', 'a person decides'), ('hold', 'held for a person by a rule'), ('auto', 'applied without a person'), ('shadow', 'shown to nobody')], max_length=8)),
                ('playbook', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='triage.playbook')),
                ('reply', models.TextField(blank=True, help_text="The playbook's reply, filled in.")),
                ('similar', models.JSONField(default=list, help_text='[{ticket: id, similarity: 0 to 1}], most alike first.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(fields=['ticket', '-created_at'], name='proposal_of_ticket'), models.Index(fields=['-created_at'], name='proposal_recent')],
            },
        ),
        migrations.CreateModel(
            name='RuleVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='triage.escalationrule')),
                ('number', models.PositiveIntegerField()),
                ('combine', models.CharField(choices=[('all', 'all conditions'), ('any', 'any condition')], default='all', max_length=3)),
                ('conditions', models.JSONField(help_text='List of {kind, ...}; see policy/conditions.py.')),
                ('actions', models.JSONField(help_text='List of {kind, ...}; see policy/routing.py.')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('prompted_by', models.ForeignKey(blank=True, help_text='The proposal whose override led to this rule.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='triage.proposal')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['rule', '-number'],
                'constraints': [models.UniqueConstraint(fields=('rule', 'number'), name='rule_version_number_once')],
            },
        ),
        migrations.CreateModel(
            name='Certificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='triage.field')),
                ('choice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='triage.choice')),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.modelversion')),
                ('threshold', models.FloatField(help_text='Lowest probability that it covers.')),
                ('alpha', models.FloatField()),
                ('delta', models.FloatField()),
                ('checks', models.PositiveIntegerField()),
                ('errors', models.PositiveIntegerField()),
                ('issued_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('issued_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-issued_at'],
            },
        ),
        migrations.CreateModel(
            name='Rung',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='rungs', to='triage.field')),
                ('choice', models.ForeignKey(blank=True, help_text='Empty: every choice of the field that has no rung of its own.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='rungs', to='triage.choice')),
                ('playbook', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='rung', to='triage.playbook')),
                ('level', models.CharField(choices=[('off', 'off'), ('shadow', 'shadow'), ('suggest', 'suggest'), ('prefill', 'prefill'), ('auto', 'auto')], default='suggest', max_length=8)),
                ('cap', models.CharField(choices=[('off', 'off'), ('shadow', 'shadow'), ('suggest', 'suggest'), ('prefill', 'prefill'), ('auto', 'auto')], default='auto', help_text='Never higher than this.', max_length=8)),
                ('threshold', models.FloatField(default=0.0, help_text='Below this probability the choice is not proposed but left open.')),
                ('canary_percent', models.PositiveSmallIntegerField(default=5, help_text='Share of tickets on which auto acts; the rest are suggested.')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reason', models.CharField(max_length=300)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['field', 'choice'],
                'constraints': [models.UniqueConstraint(fields=('choice',), name='one_rung_per_choice'), models.UniqueConstraint(condition=models.Q(('choice__isnull', True), ('playbook__isnull', True)), fields=('field',), name='one_default_rung_per_field'), models.CheckConstraint(condition=models.Q(models.Q(('field__isnull', False), ('playbook__isnull', True)), models.Q(('choice__isnull', True), ('field__isnull', True), ('playbook__isnull', False)), _connector='OR'), name='rung_of_field_or_playbook'), models.CheckConstraint(condition=models.Q(('threshold__gte', 0), ('threshold__lte', 1)), name='rung_threshold_0_to_1'), models.CheckConstraint(condition=models.Q(('canary_percent__in', [5, 25, 100])), name='canary_5_25_100')],
            },
        ),
        migrations.CreateModel(
            name='EmergencyStop',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='stops', to='triage.source')),
                ('choice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='stops', to='triage.choice')),
                ('reason', models.CharField(max_length=300)),
                ('pulled_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pulled_at', models.DateTimeField(auto_now_add=True)),
                ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('released_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-pulled_at'],
                'indexes': [models.Index(condition=models.Q(('released_at__isnull', True)), fields=['source'], name='stop_in_force')],
            },
        ),
        migrations.CreateModel(
            name='RuleNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule_version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='triage.ruleversion')),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='triage.ticket')),
                ('to', models.EmailField(max_length=254)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('rule_version', 'ticket', 'to'), name='notice_once')],
            },
        ),
        migrations.CreateModel(
            name='ProposedValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('proposal', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='values', to='triage.proposal')),
                ('field', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.field')),
                ('choice', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.choice')),
                ('basis', models.CharField(choices=[('model', 'the model'), ('parent', 'the parent of what the model is torn between'), ('rule', 'a rule'), ('follows', 'follows from another value'), ('helpdesk', 'already set in the helpdesk'), ('none', 'nothing yet')], max_length=8)),
                ('level', models.CharField(choices=[('off', 'off'), ('shadow', 'shadow'), ('suggest', 'suggest'), ('prefill', 'prefill'), ('auto', 'auto')], default='suggest', max_length=8)),
                ('probability', models.FloatField(blank=True, null=True)),
                ('prediction', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='values', to='triage.prediction')),
                ('rule_version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.ruleversion')),
                ('doubt', models.CharField(blank=True, choices=[('unsure', 'not sure enough'), ('unlike', 'unlike what was taught')], max_length=8)),
                ('asked', models.FloatField(blank=True, help_text='Lowest probability, or in-scope score, that was asked for.', null=True)),
            ],
            options={
                'ordering': ['field__position', 'field__key'],
                'indexes': [models.Index(fields=['choice', 'proposal'], name='value_by_choice')],
                'constraints': [models.UniqueConstraint(fields=('proposal', 'field'), name='one_value_per_field'), models.CheckConstraint(condition=models.Q(models.Q(('basis', 'rule'), _negated=True), ('rule_version__isnull', False), _connector='OR'), name='rule_value_names_its_rule'), models.CheckConstraint(condition=models.Q(models.Q(('asked__isnull', True), ('doubt', '')), models.Q(('asked__isnull', False), ('choice__isnull', True), models.Q(('doubt', ''), _negated=True)), _connector='OR'), name='doubt_leaves_open_and_says_what_was_asked')],
            },
        ),
        migrations.CreateModel(
            name='RuleHit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('proposal', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='hits', to='triage.proposal')),
                ('rule_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hits', to='triage.ruleversion')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('proposal', 'rule_version'), name='hit_once')],
            },
        ),
        migrations.CreateModel(
            name='Waiting',
            fields=[
                ('proposal', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to='triage.proposal')),
                ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='waiting', to='triage.ticket')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.source')),
                ('main_choice', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.choice')),
                ('choices', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, help_text='Ids of all choices that are proposed, so that filters need no other table.', size=None)),
                ('urgency', models.PositiveSmallIntegerField(default=0, help_text='Rank of the priority.')),
                ('is_held', models.BooleanField(default=False)),
                ('with_playbook', models.BooleanField(default=False)),
                ('uncertainty', models.FloatField(default=1.0, help_text='1 minus the main probability.')),
                ('novelty', models.FloatField(default=0.0, help_text='0 (as learnt) to 1 (unlike anything learnt), by the model.')),
                ('since', models.DateTimeField(help_text='When the ticket was opened.')),
                ('target_minutes', models.PositiveIntegerField(default=240, help_text='From opening to the look that is due, by the priority.')),
                ('look_by', models.DateTimeField(help_text='The place in the queue: opened + target of the priority, sooner where a human look is worth more; see triage/policy/worth.py.')),
                ('blind_at', models.FloatField(blank=True, help_text='The probability at which it was drawn to be answered before the advice is shown. Empty: it was not drawn, or has been answered.', null=True)),
            ],
            options={
                'verbose_name_plural': 'waiting',
                'indexes': [models.Index(fields=['-is_held', 'look_by', 'proposal'], name='waiting_order'), models.Index(fields=['source', '-is_held', 'look_by', 'proposal'], name='waiting_by_source'), models.Index(fields=['main_choice', '-is_held', 'look_by', 'proposal'], name='waiting_by_choice')],
                'constraints': [models.CheckConstraint(condition=models.Q(('blind_at__isnull', True), models.Q(('blind_at__gt', 0), ('blind_at__lte', 1)), _connector='OR'), name='waiting_blind_at_in_0_1')],
            },
        ),
        migrations.CreateModel(
            name='Effect',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64, unique=True)),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='effects', to='triage.ticket')),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='effects', to='triage.proposal')),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('kind', models.CharField(choices=[('values', 'set fields'), ('note', 'add an internal note'), ('reply', 'reply to the requester'), ('status', 'change the status'), ('call', 'call the automation')], max_length=8)),
                ('payload', models.JSONField()),
                ('seen_version', models.BigIntegerField(help_text='The ticket version the change was based on.')),
                ('based_on_version', models.BigIntegerField(blank=True, help_text="The helpdesk's version that our own write followed; on record before it leaves.", null=True)),
                ('applied_version', models.BigIntegerField(blank=True, help_text='The version our own write led to.', null=True)),
                ('undoes', models.OneToOneField(blank=True, help_text='The earlier change that this one makes good.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_by', to='triage.effect')),
                ('before', models.JSONField(blank=True, help_text='What stood there before our write, on record before it leaves: {"values": ...} or {"status": ...}.', null=True)),
                ('state', models.CharField(choices=[('pending', 'waiting to be sent'), ('sending', 'being sent'), ('applied', 'done'), ('conflict', 'not done: changed meanwhile in the helpdesk'), ('refused', 'not done: the helpdesk refused it'), ('skipped', 'not done: the source has no address to write to'), ('dropped', 'not done: taken back before it was sent')], default='pending', max_length=8)),
                ('detail', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['proposal', 'position'],
                'indexes': [models.Index(fields=['ticket', 'position'], name='effect_of_ticket'), models.Index(fields=['state', '-created_at'], name='effect_by_state'), models.Index(condition=models.Q(('finished_at__isnull', False)), fields=['finished_at'], name='effect_finished')],
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('receive', 'read a delivery'), ('propose', 'triage a ticket'), ('effect', 'change the helpdesk'), ('notice', 'mail a notice'), ('evidence', 'work out why'), ('shadow', 'ask the models in shadow'), ('train', 'train a model')], max_length=8)),
                ('subject', models.BigIntegerField(help_text='Primary key of the delivery, ticket version, proposal, ...')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('token', models.UUIDField(blank=True, help_text='Of the claim that holds it.', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('dead_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('dead_at__isnull', True)), fields=['kind', 'next_attempt_at'], name='job_due'), models.Index(condition=models.Q(('dead_at__isnull', True)), fields=['created_at'], name='job_oldest'), models.Index(condition=models.Q(('dead_at__isnull', False)), fields=['kind', 'subject'], name='job_dead')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'subject'), name='job_once_per_subject')],
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('sequence', models.BigIntegerField(primary_key=True, serialize=False)),
                ('previous', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('proposal', 'proposal'), ('decision', 'decision'), ('effect', 'effect'), ('policy', 'change of policy'), ('intake', 'intake anomaly'), ('model', 'model'), ('erasure', 'erasure'), ('concern', 'concern')], max_length=10)),
                ('subject', models.CharField(help_text='What it is about, as type:id.', max_length=80)),
                ('payload', models.JSONField()),
                ('actor', models.CharField(help_text='user:<id>, or the service itself.', max_length=40)),
                ('at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'ledger entries',
                'ordering': ['sequence'],
                'indexes': [models.Index(fields=['subject', 'sequence'], name='ledger_subject'), models.Index(condition=models.Q(('kind__in', ['policy', 'model'])), fields=['-at'], name='ledger_news')],
            },
        ),
        migrations.CreateModel(
            name='LedgerHead',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('sequence', models.BigIntegerField(default=0)),
                ('hash', models.CharField(max_length=64)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_ledger_head')],
            },
        ),
        migrations.CreateModel(
            name='TallyMark',
            fields=[
                ('name', models.CharField(max_length=60, primary_key=True, serialize=False)),
                ('upto', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mark', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='triage.tallymark')),
                ('value', models.CharField(blank=True, help_text='Empty where all are one.', max_length=40)),
                ('total', models.BigIntegerField()),
            ],
            options={
                'verbose_name_plural': 'tallies',
                'constraints': [models.UniqueConstraint(fields=('mark', 'value'), name='tally_once')],
            },
        ),
        migrations.CreateModel(
            name='TrainingRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='training_runs', to='triage.field')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('leave_out_small', models.BooleanField(default=False, help_text='Train without choices that have too few labels, instead of refusing.', verbose_name='without small choices')),
                ('seed', models.PositiveIntegerField(default=0, help_text='The same seed and the same labels make the same model.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(blank=True, help_text='Of the latest attempt: one that broke off starts over.', null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('progress', models.FloatField(default=0.0, help_text='Share done, 0 to 1.')),
                ('step', models.CharField(blank=True, help_text='What it does now.', max_length=200)),
                ('error', models.CharField(blank=True, help_text='Why there is no version.', max_length=1000)),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                ('cancelled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('model_version', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='training_run', to='triage.modelversion')),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('finished_at__isnull', True)), fields=('field',), name='one_unfinished_run_per_field'), models.CheckConstraint(condition=models.Q(('progress__gte', 0), ('progress__lte', 1)), name='progress_in_0_1'), models.CheckConstraint(condition=models.Q(('model_version__isnull', True), models.Q(('error', ''), ('finished_at__isnull', False)), _connector='OR'), name='run_with_a_version_is_done'), models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', True), ('cancelled_by__isnull', True)), models.Q(('cancelled_at__isnull', False), ('cancelled_by__isnull', False)), _connector='OR'), name='cancelled_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='LabelDoubt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='doubts', to='triage.modelversion')),
                ('label', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='doubts', to='triage.label')),
                ('given', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.choice')),
                ('suggested', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.choice')),
                ('given_probability', models.FloatField(help_text='Of the choice that the label gives.')),
                ('confidence', models.FloatField(help_text='Probability of the choice suggested instead.')),
                ('verdict', models.CharField(blank=True, choices=[('', 'open'), ('right', 'the label is right'), ('wrong', 'the label is wrong')], default='', max_length=5)),
                ('said_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('said_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['given_probability', 'pk'],
                'indexes': [models.Index(fields=['verdict', 'given_probability'], name='doubt_by_verdict'), models.Index(fields=['model_version', 'given_probability'], name='doubt_of_version')],
                'constraints': [models.UniqueConstraint(fields=('model_version', 'label'), name='doubted_once_per_version'), models.CheckConstraint(condition=models.Q(models.Q(('said_at__isnull', True), ('said_by__isnull', True), ('verdict', '')), models.Q(('said_at__isnull', False), ('said_by__isnull', False), ('verdict__in', ['right', 'wrong'])), _connector='OR'), name='verdict_by_somebody')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='field',
            trigger=pgtrigger.compiler.Trigger(name='touched_main', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."is_main" IS DISTINCT FROM (NEW."is_main"))', func='INSERT INTO triage_touched (source_id, at) VALUES (NEW.source_id, NULL); RETURN NULL;', hash='e2679604924cab644af5d40ebe266774846b8aa1', operation='UPDATE OF "is_main"', pgid='pgtrigger_touched_main_ca24a', table='triage_field', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticket',
            trigger=pgtrigger.compiler.Trigger(name='touched_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO triage_touched (source_id, at) SELECT DISTINCT source_id, date_bin('15 minutes', opened_at, 'epoch'::timestamptz) FROM rows; RETURN NULL;", hash='c3fa320e9d26c83dee2a26e4ff982afce39a32b8', level='STATEMENT', operation='INSERT', pgid='pgtrigger_touched_insert_a891f', referencing='REFERENCING NEW TABLE AS rows ', table='triage_ticket', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticket',
            trigger=pgtrigger.compiler.Trigger(name='touched_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO triage_touched (source_id, at) SELECT DISTINCT source_id, date_bin('15 minutes', opened_at, 'epoch'::timestamptz) FROM rows; RETURN NULL;", hash='9de12a138d37e9f476a0eca25d8e2bf1c7b74fbc', level='STATEMENT', operation='DELETE', pgid='pgtrigger_touched_delete_1f67c', referencing='REFERENCING OLD TABLE AS rows ', table='triage_ticket', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticketevent',
            trigger=pgtrigger.compiler.Trigger(name='touched_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO triage_touched (source_id, at) \n\nSELECT ticket.source_id, date_bin('15 minutes', proposal.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION SELECT ticket.source_id, date_bin('15 minutes', ticket.opened_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n; RETURN NULL;", hash='9a0dfa479aab3d6f8392fb148db4cba3b889b814', level='STATEMENT', operation='INSERT', pgid='pgtrigger_touched_insert_b3054', referencing='REFERENCING NEW TABLE AS rows ', table='triage_ticketevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticketevent',
            trigger=pgtrigger.compiler.Trigger(name='touched_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO triage_touched (source_id, at) \n\nSELECT ticket.source_id, date_bin('15 minutes', proposal.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION SELECT ticket.source_id, date_bin('15 minutes', ticket.opened_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION \n\nSELECT ticket.source_id, date_bin('15 minutes', proposal.created_at, 'epoch'::timestamptz) FROM former rows\nJOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION SELECT ticket.source_id, date_bin('15 minutes', ticket.opened_at, 'epoch'::timestamptz) FROM former rows\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n; RETURN NULL;", hash='f6266a6c3c93028bcfebe4350b14ecbaa17ab232', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_touched_update_aacf2', referencing='REFERENCING OLD TABLE AS former  NEW TABLE AS rows ', table='triage_ticketevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticketevent',
            trigger=pgtrigger.compiler.Trigger(name='touched_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO triage_touched (source_id, at) \n\nSELECT ticket.source_id, date_bin('15 minutes', proposal.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION SELECT ticket.source_id, date_bin('15 minutes', ticket.opened_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n; RETURN NULL;", hash='b07eefd15f26ebe22b672ac19c17e5a0b6ee7438', level='STATEMENT', operation='DELETE', pgid='pgtrigger_touched_delete_feada', referencing='REFERENCING OLD TABLE AS rows ', table='triage_ticketevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='proposal',
            trigger=pgtrigger.compiler.Trigger(name='touched_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO triage_touched (source_id, at) \n\nSELECT ticket.source_id, date_bin('15 minutes', proposal.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION SELECT ticket.source_id, date_bin('15 minutes', rows.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n; RETURN NULL;", hash='18831020633edc170ae0fd4195ff0af33852d8dd', level='STATEMENT', operation='INSERT', pgid='pgtrigger_touched_insert_31b2a', referencing='REFERENCING NEW TABLE AS rows ', table='triage_proposal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='proposal',
            trigger=pgtrigger.compiler.Trigger(name='touched_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO triage_touched (source_id, at) \n\nSELECT ticket.source_id, date_bin('15 minutes', proposal.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION SELECT ticket.source_id, date_bin('15 minutes', rows.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION \n\nSELECT ticket.source_id, date_bin('15 minutes', proposal.created_at, 'epoch'::timestamptz) FROM former rows\nJOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION SELECT ticket.source_id, date_bin('15 minutes', rows.created_at, 'epoch'::timestamptz) FROM former rows\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n; RETURN NULL;", hash='64f06bf74f365d6732446739aa9f791c579b48c0', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_touched_update_f1bd0', referencing='REFERENCING OLD TABLE AS former  NEW TABLE AS rows ', table='triage_proposal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='proposal',
            trigger=pgtrigger.compiler.Trigger(name='touched_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO triage_touched (source_id, at) \n\nSELECT ticket.source_id, date_bin('15 minutes', proposal.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_proposal proposal ON proposal.ticket_id = rows.ticket_id\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n UNION SELECT ticket.source_id, date_bin('15 minutes', rows.created_at, 'epoch'::timestamptz) FROM rows\nJOIN triage_ticket ticket ON ticket.id = rows.ticket_id\n; RETURN NULL;", hash='652840fec67f811ad3f28a0e8aa04f7c44c59b0b', level='STATEMENT', operation='DELETE', pgid='pgtrigger_touched_delete_f2f9a', referencing='REFERENCING OLD TABLE AS rows ', table='triage_proposal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='77ae66c604b2a2c4ba64e93d78d0ecc1032f79d5', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_2d11b', table='triage_ledgerentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'The ledger is append-only: it cannot be truncated.';", hash='7a14b8fa63eb8a89876d576d750fa40da36c23fc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_08adf', table='triage_ledgerentry', when='BEFORE')),
        ),
        # A claim rewrites each row once. With room beside it, it stays out of the five indexes.
        migrations.RunSQL(
            sql='ALTER TABLE triage_job SET (fillfactor = 50)',
            reverse_sql='ALTER TABLE triage_job RESET (fillfactor)',
        ),
    ]
