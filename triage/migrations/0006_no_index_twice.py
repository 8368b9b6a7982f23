import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('triage', '0005_effect_based_on_version'),
    ]

    operations = [
        migrations.AlterField(
            model_name='effect',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='effects', to='triage.ticket'),
        ),
        migrations.AlterField(
            model_name='label',
            name='field',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='triage.field'),
        ),
        migrations.AlterField(
            model_name='label',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='triage.ticket'),
        ),
        migrations.AlterField(
            model_name='prediction',
            name='ticket_version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='predictions', to='triage.ticketversion'),
        ),
        migrations.AlterField(
            model_name='proposal',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='proposals', to='triage.ticket'),
        ),
        migrations.AlterField(
            model_name='proposedvalue',
            name='choice',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.choice'),
        ),
        migrations.AlterField(
            model_name='proposedvalue',
            name='proposal',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='values', to='triage.proposal'),
        ),
        migrations.AlterField(
            model_name='rulehit',
            name='proposal',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='hits', to='triage.proposal'),
        ),
        migrations.AlterField(
            model_name='ticket',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='triage.source'),
        ),
        migrations.AlterField(
            model_name='ticketevent',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='triage.ticket'),
        ),
        migrations.AlterField(
            model_name='ticketversion',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='triage.ticket'),
        ),
        migrations.AlterField(
            model_name='waiting',
            name='main_choice',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.choice'),
        ),
        migrations.AlterField(
            model_name='waiting',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.source'),
        ),
        # A claim rewrites each row once. With room beside it, it stays out of the five indexes.
        migrations.RunSQL(
            "ALTER TABLE triage_job SET (fillfactor = 50)",
            "ALTER TABLE triage_job RESET (fillfactor)",
        ),
    ]
