"""From whatever users pass in to checked, typed columns, and to the problem that an estimator is handed."""
