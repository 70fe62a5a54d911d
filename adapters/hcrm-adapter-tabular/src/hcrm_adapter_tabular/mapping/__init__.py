"""The mapping: which columns of which table become which fields of which records."""
