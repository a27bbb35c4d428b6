"""`audit/report.html`: one file for people, with all its plots and pictures in it and nothing fetched."""
