"""What leaves the house: repositories staged for a person to look at, their cards and licences, publishing them."""
