"""Who may do what at which address: written down here, and nowhere derived from the code.

A technician decides; an AI owner tunes; a team lead reads what was proposed and measured; an
auditor reads everything and changes nothing. Staff without a role may enter the desk and find it
empty. An address that no line here covers has no right and fails the check.
"""

from dataclasses import dataclass

TECHNICIAN, TEAM_LEAD, AI_OWNER, AUDITOR = "technician", "team lead", "AI owner", "auditor"
STAFF, ROOT, NOBODY = "staff without a role", "superuser", "login without a role"
ROLES = (TECHNICIAN, TEAM_LEAD, AI_OWNER, AUDITOR, STAFF, ROOT, NOBODY)

NONE: frozenset[str | None] = frozenset()
ANYBODY: frozenset[str | None] = frozenset({*ROLES, None})
SIGNED_IN: frozenset[str | None] = frozenset(ROLES)
AT_THE_DESK: frozenset[str | None] = frozenset({TEAM_LEAD, AI_OWNER, AUDITOR, STAFF, ROOT})
READERS: frozenset[str | None] = frozenset({TECHNICIAN, TEAM_LEAD, AI_OWNER, AUDITOR, ROOT})
DECIDERS: frozenset[str | None] = frozenset({TECHNICIAN, AI_OWNER, ROOT})
DESK_READERS: frozenset[str | None] = frozenset({TEAM_LEAD, AI_OWNER, AUDITOR, ROOT})
OWNERS: frozenset[str | None] = frozenset({AI_OWNER, ROOT})
SHAPERS: frozenset[str | None] = frozenset({TECHNICIAN, TEAM_LEAD, AI_OWNER, ROOT})
INSPECTORS: frozenset[str | None] = frozenset({AUDITOR, ROOT})
ROOTS: frozenset[str | None] = frozenset({ROOT})


@dataclass(frozen=True)
class Right:
    """`reads` are let in with GET and with every other method but POST, which `posts` may.

    `is_public`: everybody, with a login or without. `may_decline`: 403 and 404 are answers here
    even to those who are let in; it depends on what they have set up.
    """

    reads: frozenset[str | None] = NONE
    posts: frozenset[str | None] = NONE
    is_public: bool = False
    may_decline: bool = False

    def lets_in(self, role: str | None, method: str) -> bool:
        if self.is_public:
            return True
        return role in (self.posts if method == "POST" else self.reads)


PUBLIC = Right(is_public=True, may_decline=True)
OWN_ACCOUNT = Right(SIGNED_IN, SIGNED_IN, may_decline=True)


def both(roles: frozenset[str | None], *, may_decline: bool = False) -> Right:
    return Right(roles, roles, may_decline=may_decline)


# --- Pages and API --------------------------------------------------------------------------
PAGES = {
    **dict.fromkeys(
        ("review:queue", "review:ticket", "review:effects", "review:history", "review:metrics",
         "review:metrics_tickets", "review:metrics_csv", "review:metrics_workflows",
         "review:metrics_truth",
         "review:search", "review:views", "review:view_save", "review:batch",
         "review:agreement", "review:beside",
         "review:requester", "review:news", "review:news_count", "review:report_concern",
         "review:my_concerns", "review:drills", "review:metrics_people",
         "review:metrics_reliance", "review:metrics_autonomy", "review:recorded",
         "review:definitions", "review:definition", "review:definition_in_force",
         "review:metrics_kpis", "review:metrics_kpi_tickets", "review:metrics_kpis_csv"),
        both(READERS),
    ),
    # What metrics mean is made by those who work by them; auditors only read it.
    **dict.fromkeys(
        ("review:definition_propose", "review:definition_withdraw", "review:definition_comment",
         "review:definition_comment_delete", "review:definition_vote"),
        both(SHAPERS, may_decline=True),
    ),
    **dict.fromkeys(
        ("review:definition_open_vote", "review:definition_close_vote"),
        both(READERS, may_decline=True),
    ),
    **dict.fromkeys(
        ("review:definition_activate", "review:definition_retire"),
        both(frozenset({TEAM_LEAD, AI_OWNER, ROOT}), may_decline=True),
    ),
    "review:drill_setting": both(frozenset({TEAM_LEAD, AI_OWNER, ROOT})),
    # Only one's own are there, once they are answered.
    "review:drill_told": both(DECIDERS, may_decline=True),
    # Agreed on by those who answer for it; the report is for those who look at the whole.
    **dict.fromkeys(
        ("review:kpi_baseline", "review:kpi_target"),
        both(frozenset({TEAM_LEAD, AI_OWNER, ROOT})),
    ),
    **dict.fromkeys(
        ("review:weekly", "review:weekly_settings", "review:weekly_pdf"), both(DESK_READERS)
    ),
    # Past the line: not even the AI owner reads what was reported.
    **dict.fromkeys(
        ("review:concerns", "review:concern", "review:answer_concern"), both(INSPECTORS)
    ),
    # Whose view it is decides.
    **dict.fromkeys(
        ("review:view_change", "review:view_delete"), both(READERS, may_decline=True)
    ),
    "review:view_unshare": both(frozenset({TEAM_LEAD, ROOT}), may_decline=True),
    **dict.fromkeys(
        ("review:accept", "review:override", "review:escalate", "review:send_back", "review:skip",
         "review:unskip", "review:skipped", "review:next", "review:ahead", "review:lease",
         "review:renew", "review:release", "review:reverse", "review:undo_last",
         "review:equal", "review:equal_count", "review:together", "review:pause",
         "review:go_on", "review:put_off_break", "review:answer", "review:practice",
         "review:own_figures", "review:practice_past", "review:drill_acknowledge",
         "review:drill_rest", "review:looks", "review:next_look", "review:pulse"),
        both(DECIDERS),
    ),
    # Of those who decide, only the one who did.
    "review:undo": both(DECIDERS, may_decline=True),
    "review:undo_batch": both(DECIDERS, may_decline=True),
    # A look that one may not have leads back to the list.
    **dict.fromkeys(
        ("review:look", "review:look_answer"), both(DECIDERS, may_decline=True)
    ),
    # Only one's own exercises are there, and only on tickets whose truth is known.
    **dict.fromkeys(
        ("review:practice_answer", "review:practice_exercise", "review:practice_finish"),
        both(DECIDERS, may_decline=True),
    ),
    **dict.fromkeys(("health", "ready", "scrape", "schema", "api_docs", "set_language"), PUBLIC),
    # Only a signed link opens these, which none of these visitors has; a login counts for nothing.
    **dict.fromkeys(
        ("embed:panel", "embed:look", "embed:effects", "embed:accept", "embed:override",
         "embed:escalate", "embed:send_back", "embed:undo"),
        PUBLIC,
    ),
}  # fmt: skip
API = {
    # Only a signature lets a delivery in, which none of these visitors has.
    "triage_api:webhook": Right(reads=ANYBODY),
    "triage_api:ledger_head": both(DESK_READERS),
    "review_api:decide": both(DECIDERS),
    "review_api:reverse": both(DECIDERS),
    "review_api:reverse_applied": both(DECIDERS),
    "review_api:undo": both(DECIDERS, may_decline=True),
    "review_api:embed_tokens": both(OWNERS),
    # What was found true, and never who said it.
    "review_api:checks": both(frozenset({AI_OWNER, AUDITOR, ROOT})),
    "review_api:check": both(frozenset({AI_OWNER, AUDITOR, ROOT}), may_decline=True),
    **dict.fromkeys(
        ("triage_api:tickets", "triage_api:ticket", "triage_api:proposals", "triage_api:proposal",
         "review_api:decisions", "review_api:decision", "metrics", "metric",
         "definitions", "definition", "kpis"),
        both(READERS),
    ),
}  # fmt: skip
ACCOUNT = {
    **dict.fromkeys(
        ("account_login", "account_logout", "account_inactive", "account_signup",
         "account_email_verification_sent", "account_reset_password", "account_confirm_login_code",
         "account_confirm_email", "account_reset_password_from_key_done",
         "account_reset_password_from_key", "account_reset_password_done", "mfa_authenticate",
         "socialaccount_login_cancelled", "socialaccount_login_error", "socialaccount_signup",
         "accounts/social/login/cancelled/", "accounts/social/login/error/",
         "accounts/social/signup/", "accounts/social/connections/"),
        PUBLIC,
    ),
    **dict.fromkeys(
        ("account_reauthenticate", "account_email", "account_change_password",
         "account_set_password", "mfa_index", "mfa_reauthenticate", "mfa_activate_totp",
         "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
         "mfa_download_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn",
         "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn",
         "socialaccount_connections"),
        OWN_ACCOUNT,
    ),
}  # fmt: skip

# --- The owner's desk -----------------------------------------------------------------------
DESK = {
    "admin:index": both(AT_THE_DESK),
    "admin:search": both(AT_THE_DESK),
    "admin:password_change": both(AT_THE_DESK),
    "admin:password_change_done": both(AT_THE_DESK),
    "admin:jsi18n": both(AT_THE_DESK),
    "admin:view_on_site": both(AT_THE_DESK, may_decline=True),
    "admin:login": PUBLIC,
    "admin:logout": PUBLIC,
    # Of the choices that a rung may be for.
    "admin:autocomplete": both(DESK_READERS),
    "admin:app_list": both(DESK_READERS),
    "admin/(?P<url>.*)$": both(AT_THE_DESK, may_decline=True),
    "admin:triage_delivery_redeliver_one": both(OWNERS),
    "admin:triage_delivery_download": both(DESK_READERS),
    # Whoever comes first sends it again, and it is gone.
    "admin:triage_job_redeliver_one": both(OWNERS, may_decline=True),
    # Without a source there is nothing to try a rule on.
    "admin:triage_escalationrule_test": both(OWNERS, may_decline=True),
    "admin:triage_escalationrule_try_out": both(DESK_READERS),
    "admin:triage_rung_try_to_certify": both(OWNERS),
    "admin:triage_source_make_secret": both(OWNERS),
    "admin:triage_sourcesecret_retire_one": both(OWNERS),
    "admin:triage_emergencystop_everything": both(OWNERS),
    "admin:triage_emergencystop_release": both(OWNERS),
    "admin:triage_modelversion_put_into_service": both(OWNERS),
    "admin:triage_modelversion_roll_back": both(OWNERS),
    "admin:triage_modelversion_put_into_shadow": both(OWNERS),
    "admin:triage_modelversion_take_out_of_shadow": both(OWNERS),
    "admin:triage_modelversion_compare": both(DESK_READERS),
    "admin:triage_modelversion_drift": both(DESK_READERS),
    "admin:triage_retrainingproposal_dismiss": both(OWNERS),
    "admin:triage_modelversion_model_card": both(DESK_READERS),
    "admin:triage_modelversion_data_card": both(DESK_READERS),
    "admin:triage_modelversion_train": both(OWNERS),
    "admin:triage_field_train": both(OWNERS),
    "admin:triage_trainingrun_under_way": both(DESK_READERS),
    "admin:triage_trainingrun_progress": both(DESK_READERS),
    "admin:triage_trainingrun_cancel": both(OWNERS),
    "admin:triage_labeldoubt_this_is_right": both(OWNERS),
    "admin:triage_labeldoubt_this_is_wrong": both(OWNERS),
    "admin:triage_ticket_erase": both(OWNERS),
    "admin:auth_user_password_change": both(ROOTS),
}


@dataclass(frozen=True)
class Table:
    """Who may look at the rows of a table at the desk, add, change and delete them there."""

    views: frozenset[str | None]
    adds: frozenset[str | None] = NONE
    changes: frozenset[str | None] = NONE
    deletes: frozenset[str | None] = NONE

    def right(self, page: str) -> Right:
        return {
            "changelist": both(self.views),
            "history": both(self.views),
            "add": both(self.adds),
            "delete": both(self.deletes),
            "change": Right(self.views, self.changes),
        }[page]


POLICY = Table(DESK_READERS, OWNERS, OWNERS)
RECORD = Table(DESK_READERS)
LIBRARY = Table(ROOTS, ROOTS, ROOTS, ROOTS)
TABLES = {
    **dict.fromkeys(
        ("triage_source", "triage_field", "triage_choice", "triage_escalationrule",
         "triage_playbook", "triage_rung", "review_reason", "review_drillprogramme"),
        POLICY,
    ),
    # A secret is made anew or retired, a stop released: neither is edited.
    "triage_sourcesecret": Table(DESK_READERS, OWNERS),
    "triage_emergencystop": Table(DESK_READERS, OWNERS),
    # A training is asked for and cancelled, never edited.
    "triage_trainingrun": Table(DESK_READERS, OWNERS),
    **dict.fromkeys(
        ("triage_certificate", "triage_modelversion", "triage_driftfinding",
         "triage_retrainingproposal", "triage_prediction", "triage_label",
         "triage_labeldoubt",
         "triage_delivery", "triage_ticket", "triage_proposal", "triage_effect", "triage_job",
         "triage_ledgerentry", "review_decision"),
        RECORD,
    ),
    # A change is a new row.
    "review_teamagreement": Table(
        frozenset({TEAM_LEAD, AUDITOR, ROOT}), frozenset({TEAM_LEAD, ROOT})
    ),
    # A team lead reads no single person's answers.
    "review_drill": Table(frozenset({AI_OWNER, AUDITOR, ROOT})),
    "review_spotcheck": Table(frozenset({AI_OWNER, AUDITOR, ROOT})),
    "knox_authtoken": Table(frozenset({AI_OWNER, AUDITOR, ROOT}), OWNERS, NONE, OWNERS),
    "review_skip": Table(INSPECTORS),
    # Who answered what, unseen.
    "review_blindanswer": Table(INSPECTORS),
    "auth_user": Table(INSPECTORS, ROOTS, ROOTS),
    "auth_group": Table(INSPECTORS, ROOTS, ROOTS, ROOTS),
    **dict.fromkeys(
        ("account_emailaddress", "mfa_authenticator", "socialaccount_socialapp",
         "socialaccount_socialtoken", "socialaccount_socialaccount"),
        LIBRARY,
    ),
    # Failed logins are counted by the library alone.
    **dict.fromkeys(
        ("axes_accessattempt", "axes_accesslog", "axes_accessfailurelog"),
        Table(ROOTS, NONE, ROOTS, ROOTS),
    ),
}  # fmt: skip
NAMED = PAGES | API | ACCOUNT | DESK


def right_of(name: str, route: str) -> Right | None:
    """The right at an address, by its name, or by its route where it has none."""
    key = route if name in ("", "admin:") else name
    if key in NAMED:
        return NAMED[key]
    if name.startswith("admin:"):
        table, _, page = name.removeprefix("admin:").rpartition("_")
        if table in TABLES and page in ("changelist", "add", "history", "delete", "change"):
            return TABLES[table].right(page)
    # The address of a row without more leads on to its page, which then asks.
    parts = route.split("/")
    if parts[0] == "admin" and parts[3:] == ["<path:object_id>", ""]:
        return both(AT_THE_DESK) if "_".join(parts[1:3]) in TABLES else None
    return None
