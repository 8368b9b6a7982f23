"""The weekly report: what it says, as a page, a mail and a PDF, and who is sent it."""
