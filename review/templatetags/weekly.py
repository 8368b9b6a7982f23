"""Sentences that the page, the mail and the PDF of a weekly report share."""

from django import template

from review.weekly import pdf
from review.weekly.contents import absolute

register = template.Library()
register.simple_tag(pdf.scope_said)
register.simple_tag(pdf.behind_said)
register.simple_tag(pdf.experiment_said)
register.simple_tag(pdf.burn_text)
register.filter("absolute", absolute)
