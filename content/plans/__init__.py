"""Plans (計画) as a town prints them: values, policies, indicators with targets and actuals, evaluation sheets."""
